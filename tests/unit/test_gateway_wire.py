"""The wire format is the domain's, for every kind of message and from every sender."""

import json
import time
from typing import get_args

import jsonschema
import pytest
from fastapi import FastAPI

from cases.inbound.faults import BodyRefused
from cases.inbound.wire import WIRE, BoardingQuestion, read_as, read_filing, read_message, senders_of
from domain import registry
from domain.humanitarian_parole.stages.filing import ApplicationSubmitted
from gateway.app import create_app
from gateway.deps import GatewayDeps
from gateway.http.examples import BOARDING_QUESTION, FILING, MESSAGES
from gateway.http.problems import KINDS as PROBLEMS
from gateway.routes.documents import MediaType
from gateway.routes.intake import WAIT_MAX_S, wished_wait_s

FILED_ELSEWHERE = {"application.submitted"}
OUR_OWN = {"place.offered", "programme.changed"}


@pytest.fixture(scope="module")
def app() -> FastAPI:
    deps: GatewayDeps = None  # type: ignore[assignment]  # the document is made from the routes alone
    return create_app(deps)


def test_every_kind_has_an_example_that_can_be_sent_by_each_of_its_senders() -> None:
    assert set(MESSAGES) == set(WIRE)
    for name, example in MESSAGES.items():
        for sender in senders_of(name):
            read = read_message(json.dumps(example).encode(), sender)
            assert type(read.content) in [kind.__base__ for kind in WIRE[name]]
            assert read.case_id == example.get("case")
            assert read.programme == example.get("programme")
            sent = {field: value for field, value in example.items() if field not in ("case", "programme")}
            assert read.content == type(read.content).model_validate(sent)


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_nobody_else_can_send_it(name: str) -> None:
    for partner in set(registry.senders()) - set(senders_of(name)):
        with pytest.raises(BodyRefused) as refused:
            read_message(json.dumps(MESSAGES[name]).encode(), partner)
        assert refused.value.code == "wrong-partner"


@pytest.mark.parametrize("name", sorted(FILED_ELSEWHERE | OUR_OWN))
def test_what_is_filed_elsewhere_or_is_our_own_cannot_be_sent(name: str) -> None:
    for partner in registry.senders():
        with pytest.raises(BodyRefused) as refused:
            read_message(json.dumps({"case": "VEN-1111-1111", "message": name}).encode(), partner)
        assert refused.value.code == "malformed"


def test_a_local_day_keeps_the_offset_it_was_written_with() -> None:
    filed = read_filing(json.dumps(FILING).encode()).submission
    assert isinstance(filed, ApplicationSubmitted)
    assert filed.application.entries[0].entered_at.isoformat() == "2022-09-01T10:00:00-05:00"


def test_faults_are_named_and_bounded() -> None:
    body = {f"key_{number}": 1 for number in range(1000)}
    with pytest.raises(BodyRefused) as refused:
        read_as(BoardingQuestion, json.dumps(body).encode())
    assert len(refused.value.faults) == 20
    assert refused.value.faults[1].at == "/key_0"


def test_a_key_that_is_not_a_word_is_not_repeated() -> None:
    with pytest.raises(BodyRefused) as refused:
        read_as(BoardingQuestion, json.dumps({**BOARDING_QUESTION, "María José Pérez": 1}).encode())
    assert "María" not in str(refused.value.faults)


@pytest.mark.parametrize(
    ("prefer", "wait_s"),
    [
        (None, 0),
        ("", 0),
        ("wait", WAIT_MAX_S),
        ("wait=3", 3),
        ('wait="3"', 3),
        ("WAIT = 3", 3),
        ("respond-async, wait=3", 3),
        ("wait=3; foo", 3),
        ("wait=999999", WAIT_MAX_S),
        ("wait=0", 0),
        ("wait=-1", 0),
        ("wait=soon", 0),
        ("await=3", 0),
        ("wait=1e400", 0),
        ("wait=٣", 0),
        ("wait=soon, wait=3", 3),
    ],
)
def test_patience_is_read_as_its_rfc_says(prefer: str | None, wait_s: float) -> None:
    assert wished_wait_s(prefer) == wait_s


def test_a_wish_of_many_blanks_is_read_at_once() -> None:
    begun_s = time.perf_counter()
    for prefer in ("wait" + " " * 60_000 + "x", ", " * 30_000, "wait=" * 12_000, "wait=" + "9" * 60_000):
        wished_wait_s(prefer)
    assert time.perf_counter() - begun_s < 1


BESIDE_ROUTES = {"method-not-allowed", "form-stale", "not-local", "case-not-asked"}
"""Of no route, of pages, of any request to an embedded stack, and of the record alone."""


class TestDocument:
    def test_every_operation_tells_its_errors_and_every_error_is_told(self, app: FastAPI) -> None:
        told = set()
        for path, methods in app.openapi()["paths"].items():
            for method, operation in methods.items():
                assert operation["summary"], (path, method)
                assert operation["description"], (path, method)
                for status, answer in operation["responses"].items():
                    for problem in answer.get("content", {}).get("application/problem+json", {}).get("examples", {}):
                        assert str(PROBLEMS[problem].status) == status
                        told.add(problem)
        assert told == set(PROBLEMS) - BESIDE_ROUTES

    def test_its_examples_are_of_its_schemas(self, app: FastAPI) -> None:
        document = app.openapi()
        checked = 0
        for methods in document["paths"].values():
            for operation in methods.values():
                for content in operation.get("requestBody", {}).get("content", {}).values():
                    examples = [example["value"] for example in content.get("examples", {}).values()]
                    for example in examples or [content["example"]]:
                        schema = {**content["schema"], "components": document["components"]}
                        jsonschema.validate(example, schema, cls=jsonschema.Draft202012Validator)
                        checked += 1
        assert checked == len(MESSAGES) + 2 + len(get_args(MediaType))  # a filing, a boarding check, a document of each

    def test_every_reference_leads_somewhere(self, app: FastAPI) -> None:
        text = json.dumps(app.openapi())
        schemas = app.openapi()["components"]["schemas"]
        named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
        assert named <= set(schemas)
        assert "HTTPValidationError" not in schemas

    def test_messages_are_told_apart_by_name(self, app: FastAPI) -> None:
        operation = app.openapi()["paths"]["/v1/partners/{partner}/messages"]["post"]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert set(schema["discriminator"]["mapping"]) == set(MESSAGES)
        vetting_hit = app.openapi()["components"]["schemas"]["VettingHitAnswer"]
        assert set(vetting_hit["required"]) == {"message", "case"}
