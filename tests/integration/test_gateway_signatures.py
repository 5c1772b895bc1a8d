"""Signed messages over HTTP: what its partner signed, unaltered and fresh, is taken; nothing else changes a thing."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cases.inbound.senders import Senders
from cases.inbound.webhooks import Signer, Verifier, new_key_pair, new_shared_key, sign
from tests.support.gateway import NOON, Desk, gateway_desk

SHARED, (PRIVATE, PUBLIC) = new_shared_key(), new_key_pair()
KNOWN = {"applicant": (Verifier.parse(SHARED),), "supporter": (Verifier.parse(PUBLIC),)}
NOBODY = "VEN-1111-1111"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys", Senders(KNOWN, unsigned=False)) as opened:
        yield opened


@pytest.fixture
async def lenient(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys", Senders(KNOWN, unsigned=True)) as opened:
        yield opened


async def post(desk: Desk, headers: dict[str, str], body: bytes, partner: str = "applicant") -> httpx2.Response:
    given = {"content-type": "application/json", **headers}
    return await desk.http.post(f"/v1/partners/{partner}/messages", content=body, headers=given)


def signed(body: bytes, key: str = SHARED, message_id: str = "m-1", late_s: int = 0) -> dict[str, str]:
    return sign([Signer.parse(key)], message_id, NOON + timedelta(seconds=late_s), body)


def withdrawal(case_id: str) -> bytes:
    return f'{{ "message": "application.withdrawn",\n "case": "{case_id}" }}'.encode()


async def said(response: httpx2.Response) -> tuple[int, Any]:
    body = response.json()
    return response.status_code, body.get("code")


@pytest.mark.parametrize(("partner", "key"), [("applicant", SHARED), ("supporter", PRIVATE)], ids=["v1", "v1a"])
async def test_a_signed_message_is_taken_and_its_key_is_on_record(desk: Desk, partner: str, key: str) -> None:
    case_id = await desk.filed_case()
    body = withdrawal(case_id)
    sent = await post(desk, signed(body, key), body, partner)
    assert sent.status_code == 202, sent.text
    proof = await desk.database.fetchval("SELECT proof FROM passage.inbox ORDER BY number DESC LIMIT 1")
    assert proof == f"key:{partner}:{KNOWN[partner][0].fingerprint}"


async def test_an_attempt_signed_anew_is_the_same_message(desk: Desk) -> None:
    case_id = await desk.filed_case()
    body = withdrawal(case_id)
    first = await post(desk, signed(body), body)
    again = await post(desk, signed(body, late_s=120), body)
    assert again.json() == first.json()
    assert await desk.rows() == 2


async def test_forged_stale_altered_and_unsigned_messages_change_nothing(desk: Desk) -> None:
    case_id = await desk.filed_case()
    body, other = withdrawal(case_id), withdrawal(NOBODY)
    wrong = "signature-wrong"
    for response, code in (
        (await post(desk, signed(body, new_shared_key()), body), wrong),
        (await post(desk, signed(body, new_key_pair()[0]), body), wrong),
        (await post(desk, signed(other), body), wrong),
        (await post(desk, signed(body), body + b" "), wrong),
        (await post(desk, {**signed(body), "webhook-id": "m-2"}, body), wrong),
        (await post(desk, signed(body), body, "supporter"), wrong),
        (await post(desk, signed(body), body, "officer"), wrong),
        (await post(desk, signed(body, late_s=-301), body), "signature-stale"),
        (await post(desk, signed(body, late_s=301), body), "signature-stale"),
        (await post(desk, {**signed(body), "webhook-signature": "v1,x"}, body), "signature-malformed"),
        (await post(desk, {"webhook-id": "m-1"}, body), "signature-missing"),
    ):
        assert await said(response) == (401, code)
        assert response.headers["www-authenticate"] == "StandardWebhooks"
    assert await desk.rows() == 1


async def test_who_is_not_known_learns_nothing_of_what_is(desk: Desk) -> None:
    for body in (b"not json", withdrawal(NOBODY), b'{"message":"vetting.cleared"}'):
        assert await said(await post(desk, signed(body, new_shared_key()), body)) == (401, "signature-wrong")


async def test_an_answer_is_read_by_its_partner_alone(desk: Desk) -> None:
    case_id = await desk.filed_case()
    body = withdrawal(case_id)
    place = (await post(desk, signed(body), body)).headers["Location"]
    assert await said(await desk.http.get(place)) == (401, "signature-missing")
    assert await said(await desk.http.get(place, headers=signed(b"", new_shared_key()))) == (401, "signature-wrong")
    read = await desk.http.get(place, headers=signed(b""))
    assert (read.status_code, read.json()["message_id"]) == (200, "m-1")


async def test_a_signature_is_as_old_as_the_machines_clock_says_whatever_the_domains(desk: Desk) -> None:
    case_id = await desk.filed_case()
    desk.moments.append(NOON + timedelta(seconds=299))
    body = withdrawal(case_id)
    assert (await post(desk, signed(body), body)).status_code == 202
    desk.moments.append(NOON + timedelta(seconds=301))
    assert await said(await post(desk, signed(body), body)) == (401, "signature-stale")


async def test_where_unsigned_messages_are_taken_a_signature_is_held_to_all_the_same(lenient: Desk) -> None:
    case_id = await lenient.filed_case()
    body = withdrawal(case_id)
    assert await said(await post(lenient, signed(body, new_shared_key()), body)) == (401, "signature-wrong")
    assert await said(await post(lenient, {"webhook-id": "m-1", "webhook-signature": ""}, body)) == (
        401,
        "signature-missing",
    )
    assert (await post(lenient, {"webhook-id": "m-1"}, body)).status_code == 202
    proof = await lenient.database.fetchval("SELECT proof FROM passage.inbox ORDER BY number DESC LIMIT 1")
    assert proof == "none:applicant"
