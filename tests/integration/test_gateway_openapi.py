"""Whatever is asked, the gateway answers as its OpenAPI document says, and never that it failed."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from cases.inbound.webhooks import Signer, new_shared_key, sign
from domain import registry
from gateway.http.examples import BOARDING_QUESTION, FILING, MESSAGES
from process.config import Settings
from tests.support.gateway import NOON, Desk, gateway_desk

REQUESTS = 400
KEYS = {name: new_shared_key() for name in registry.senders()}
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40)
SMALL = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
BODIES = [json.dumps(body).encode() for body in (FILING, BOARDING_QUESTION, *MESSAGES.values())]


@dataclass(frozen=True)
class Document:
    """What the gateway says of itself, and a case that was filed: read once, they are the same for every request."""

    whole: dict[str, Any]
    case_id: str

    @property
    def operations(self) -> list[tuple[str, str]]:
        return [(path, method) for path, methods in self.whole["paths"].items() for method in methods]

    def responses(self, template: str, method: str) -> dict[str, Any]:
        found: dict[str, Any] = self.whole["paths"][template][method]["responses"]
        return found


@pytest.fixture
async def document(desk: Desk) -> Document:
    return Document((await desk.http.get("/openapi.json")).json(), (await desk.file("m-1")).json()["case_id"])


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    file = tmp_path / "partners.json"
    file.write_text(json.dumps({name: [key] for name, key in KEYS.items()}))
    file.chmod(0o600)
    # Every second request or so is unsigned, and so also gets past the guard.
    guard = Settings(
        database_url=SecretStr(database_url),
        partner_keys=file,
        embedded_stack=True,
        unsigned_messages=True,
        sender_rate_per_s=1e6,
    )
    async with gateway_desk(database_url, tmp_path / "keys", guard=guard) as opened:
        yield opened


@st.composite
def bodies(draw: st.DrawFn, case_id: str) -> bytes:
    """A good body, nearly a good one, or anything."""
    raw = draw(st.sampled_from(BODIES)).replace(b"VEN-7Q4K-M2XS", case_id.encode())
    match draw(st.integers(0, 3)):
        case 0:
            return raw
        case 1:
            document = json.loads(raw)
            document[draw(st.sampled_from([*document, "more"]))] = draw(SMALL)
            return json.dumps(document).encode()
        case 2:
            cut = draw(st.integers(0, len(raw)))
            return raw[:cut] + draw(st.binary(max_size=3)) + raw[cut:]
        case _:
            return draw(st.binary(max_size=50))


@st.composite
def headers(draw: st.DrawFn, partner: str, body: bytes) -> Mapping[str, str]:
    message_id = draw(st.one_of(st.sampled_from(["m-1", "m-2", "m-3"]), TEXT))
    made = {"content-type": draw(st.sampled_from(["application/json"] * 4 + ["text/plain"]))}
    made[draw(st.sampled_from(["webhook-id", "webhook-id", "idempotency-key"]))] = message_id
    how = draw(st.integers(0, 3))
    if how == 0 and message_id.isascii():
        late = timedelta(seconds=draw(st.sampled_from([0, 0, 301])))
        made |= sign([Signer.parse(KEYS.get(partner, KEYS["vetting"]))], message_id, NOON + late, body)
    elif how == 1:
        made |= {"webhook-timestamp": draw(TEXT), "webhook-signature": draw(TEXT)}
    if draw(st.booleans()):
        made["prefer"] = draw(
            st.one_of(st.sampled_from(["wait=0", "respond-async"]), TEXT.filter(lambda t: "wait" not in t))
        )
    return made


def addressed(template: str, draw: Any, partner: str, case_id: str) -> str:
    word = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=15)
    values = {
        "{partner}": partner,
        "{case_id}": draw(st.one_of(st.just(case_id), st.just("VEN-1111-1111"), word)),
        "{message_id}": draw(st.one_of(st.sampled_from(["m-1", "m-2"]), word)),
        "{programme}": draw(st.one_of(st.just("venezuela-air"), word)),
    }
    for name, value in values.items():
        template = template.replace(name, value)
    return template


@settings(
    max_examples=REQUESTS,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],  # one gateway meets them all
)
@given(data=st.data())
async def test_no_request_finds_a_fault_or_an_answer_that_is_not_in_the_document(
    desk: Desk, document: Document, data: st.DataObject
) -> None:
    posts = [each for each in document.operations if each[1] == "post"]
    template, method = data.draw(st.sampled_from([*document.operations, *posts, *posts, *posts]))
    partner = data.draw(st.sampled_from([*registry.senders(), "passage", "x"]))
    body = data.draw(bodies(document.case_id)) if method == "post" else b""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in data.draw(headers(partner, body)).items()]
    path = addressed(template, data.draw, partner, document.case_id)
    response = await desk.http.request(method, path, content=body, headers=raw)
    documented = document.responses(template, method)
    assert str(response.status_code) in documented, response.text
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        problems = documented[str(response.status_code)]["content"]["application/problem+json"]["examples"]
        assert response.json()["code"] in problems
