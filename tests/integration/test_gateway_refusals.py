"""What the gateway refuses, and that a refusal changes nothing and repeats nothing of what was sent."""

import asyncio
import copy
import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from cases.inbound.strict_json import BODY_MAX_BYTES
from cases.inbound.wire import senders_of
from eventstore.conflicts import StoreUnavailable
from gateway.http import body as body_module
from gateway.http.examples import MESSAGES
from tests.support.gateway import Desk, a_filing, gateway_desk

CANARY = "Canaria-Quetzal"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


async def post(desk: Desk, content: Any, **headers: str) -> httpx2.Response:
    given = {"content-type": "application/json", "webhook-id": "m-1", **headers}
    return await desk.http.post("/v1/partners/vetting/messages", content=content, headers=given)


def assert_problem(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, f"urn:passage:problem:{code}")
    return problem


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"not json", b"[]", b"null", b'"text"', b"\xff\xfe{}", b"{} {}", b'{"a":NaN}', b"[" * 100_000],
    ids=["empty", "cut", "words", "array", "null", "text", "not-utf-8", "two", "nan", "deep-array"],
)
async def test_what_is_not_one_json_object_is_refused(desk: Desk, content: bytes) -> None:
    assert_problem(await post(desk, content), 422, "not-json")


@pytest.mark.parametrize(
    ("content", "at"),
    [
        (b'{"a":' * 30 + b"1" + b"}" * 30, "/a" * 12),
        (b'{"message":"vetting.hit\\u0000"}', "/message"),
        (b'{"kind":"\\ud800"}', "/kind"),
        (b'{"case":1,"case":2}', "/case"),
        (b"{}", "/message"),
        (b'{"message":7}', "/message"),
        (b'{"message":"vetting.maybe"}', "/message"),
        (b'{"message":"vetting.cleared"}', "/case"),
        (b'{"message":"vetting.cleared","case":"VEN-1111-1112"}', "/case"),
        (b'{"message":"vetting.cleared","case":"VEN-1111-1111","programme":"venezuela-air"}', "/programme"),
        (b'{"message":"vetting.hit","case":"VEN-1111-1111","kind":7}', "/kind"),
        (b'{"message":"vetting.hit","case":"VEN-1111-1111","kind":true}', "/kind"),
        (b'{"message":"vetting.cleared","case":"VEN-1111-1111","findings":{}}', "/findings"),
        (
            b'{"message":"vetting.cleared","case":"VEN-1111-1111","findings":[{"kind":"removal_order","dated":20140201}]}',
            "/findings/0/dated",
        ),
        (
            b'{"message":"vetting.cleared","case":"VEN-1111-1111","findings":[{"kind":"removal_order","dated":"0001-01-01"}]}',
            "/findings/0/dated",
        ),
    ],
)
async def test_a_malformed_message_is_refused_with_the_place_of_its_fault(desk: Desk, content: bytes, at: str) -> None:
    problem = assert_problem(await post(desk, content), 422, "malformed")
    assert problem["faults"][0]["at"] == at
    assert await desk.rows() == 0


async def test_a_moment_needs_an_offset_and_is_not_a_number_of_seconds(desk: Desk) -> None:
    case_id = await desk.filed_case()
    for wrong in ("2022-11-02T04:00:00", "1667379600", 1667379600, "9999-12-31T23:59:59-12:00"):
        body = {**MESSAGES["border.irregular_crossing"], "case": case_id, "crossed_at": wrong}
        problem = assert_problem(await desk.send("border", "m-1", body), 422, "malformed")
        assert [fault["at"] for fault in problem["faults"]] == ["/crossed_at"]
    assert await desk.rows() == 1


async def test_a_body_is_bounded_however_it_comes(desk: Desk) -> None:
    assert_problem(await post(desk, b" " * (BODY_MAX_BYTES + 1)), 413, "too-large")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(BODY_MAX_BYTES // 1024 + 1):
            yield b" " * 1024

    assert_problem(await post(desk, chunks()), 413, "too-large")
    assert_problem(await post(desk, b" " * BODY_MAX_BYTES), 422, "not-json")


async def test_a_body_that_dribbles_is_given_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "BODY_TIMEOUT_S", 0.05)

    async def dribble() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    # The client of these tests hands a body over whole, so the app is asked as a server would.
    chunks = dribble()
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": await anext(chunks), "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/boarding-checks",
        "raw_path": b"/v1/boarding-checks",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    await desk.app(scope, receive, send)
    assert sent[0]["status"] == 408


async def test_only_json_is_taken(desk: Desk) -> None:
    response = await post(desk, b"{}", **{"content-type": "application/x-www-form-urlencoded"})
    assert_problem(response, 415, "unsupported-media-type")


async def test_what_is_not_there_is_a_problem_too(desk: Desk) -> None:
    assert_problem(await desk.http.get("/v2"), 404, "not-found")
    wrong = await desk.http.delete("/v1/applications")
    assert_problem(wrong, 405, "method-not-allowed")
    assert wrong.headers["allow"] == "POST"
    several = await desk.http.patch(f"/v1/cases/VEN-7Q4K-M2XS/documents/{'0' * 64}")
    assert_problem(several, 405, "method-not-allowed")
    assert several.headers["allow"] == "GET, PUT"


async def test_an_absent_database_is_told_and_nothing_is_taken(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("ConnectionRefusedError")

    monkeypatch.setattr(desk.store, "programme", away)
    monkeypatch.setattr(desk.store.inbox, "receive", away)
    response = await desk.http.get("/readyz")
    assert_problem(response, 503, "unavailable")
    assert response.headers["Retry-After"] == "1"
    assert (await desk.http.get("/healthz")).status_code == 200
    assert_problem(await desk.file(), 503, "unavailable")


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        yield path
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(child, (*path, step))
    else:
        yield path


def spoilt(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document once for each place, with something there that does not belong and holds the canary."""
    for path in leaves(document):
        for wrong in (f"{CANARY}\0", {"given_names": CANARY}, [CANARY, CANARY], f"{CANARY} {'x' * 3000}"):
            whole = {"it": copy.deepcopy(document)}
            inside: Any = whole
            for step in ("it", *path)[:-1]:
                inside = inside[step]
            inside[("it", *path)[-1]] = wrong
            yield {"it": whole["it"]} if not path else whole["it"]


@pytest.fixture
def written(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Any:
    """What was logged until it is called, by whatever way."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "httpx2")  # the client of these tests, which is the partner's

    def read() -> str:
        out, err = capfd.readouterr()
        return out + err + caplog.text

    return read


async def test_no_place_of_an_application_leaks_what_was_in_it(desk: Desk, written: Any) -> None:
    asked = 0
    for document in spoilt(a_filing(given_names=CANARY, surnames=CANARY)):
        asked += 1
        response = await desk.file(body=document)
        assert response.status_code == 422
        assert CANARY not in response.text
    assert asked > 150
    assert await desk.rows() == 0
    assert CANARY not in written()


@pytest.mark.parametrize("name", sorted(MESSAGES))
async def test_no_place_of_a_message_leaks_what_was_in_it(desk: Desk, written: Any, name: str) -> None:
    for document in spoilt(dict(MESSAGES[name])):
        response = await desk.send(senders_of(name)[0], "m-1", document)
        # A thousand letters are too many for every text but free text, and then there is no such case.
        assert response.status_code in (404, 422)
        assert CANARY not in response.text
    assert await desk.rows() == 0
    assert CANARY not in written()


async def test_no_failure_leaks_what_it_was_about(desk: Desk, written: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = (
        asyncpg.NotNullViolationError(f"Failing row contains ({CANARY})"),
        ValueError(CANARY),
        RuntimeError(json.dumps(a_filing(given_names=CANARY))),
    )
    for failure in failures:

        async def fail(*_: object, failure: Exception = failure) -> None:
            raise failure

        monkeypatch.setattr(desk.store.inbox, "receive", fail)
        response = await desk.file(body=a_filing(given_names=CANARY))
        assert_problem(response, 500, "internal")
        assert CANARY not in response.text
    said = written()
    assert "request failed" in said
    assert CANARY not in said


async def test_nothing_of_a_good_application_is_logged_or_counted_by_name(desk: Desk, written: Any) -> None:
    case_id = await desk.filed_case(given_names=CANARY, surnames=CANARY)
    await desk.http.get(f"/v1/cases/{case_id}")
    await desk.board(case_id)
    metrics = (await desk.http.get("/metrics")).text
    said = written()
    assert "/v1/cases/{case_id}" in said
    for place in (said, metrics):
        assert CANARY not in place
        assert case_id not in place
    assert 'passage_gateway_messages_total{first="true",kind="application.submitted"} 1.0' in metrics
