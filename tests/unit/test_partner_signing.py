"""Passage signs what it asks, and believes no answer that the partner did not sign for this very request."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from activities.partners.clients import CallSecurity, open_partner_clients
from activities.partners.errors import PartnerUnproven
from activities.partners.requests import AnswerGiven
from activities.partners.signing import CallKeys
from cases.inbound.webhooks import Signer, Verifier, new_key_pair, new_shared_key, sign, verify
from domain.kernel.proof import Proof
from process.config import ConfigurationError, Settings
from process.key_files import call_security
from simulators.app import CallProofs, create_app
from simulators.desk import PartnerDesk
from simulators.journal import IN_MEMORY, Journal, open_database
from simulators.messages import PartnerMessage
from simulators.scripts import AGREEABLE
from stack.partner_keys import ensure_partner_keys
from tests.support.partner_calls import CASE_ID, a_check

PRIVATE, PUBLIC = new_key_pair()
VETTING = new_shared_key()
KEYS = CallKeys((Signer.parse(PRIVATE),), (Verifier.parse(VETTING),))
REQUEST_ID = f"{CASE_ID}:vetting"
ANSWER = {"case": CASE_ID, "message": "vetting.cleared", "request_id": REQUEST_ID}
BODY = json.dumps({"request_id": REQUEST_ID, "state": "answered", "message_id": "m-1", "answer": ANSWER}).encode()

Handler = Callable[[httpx2.Request], httpx2.Response]


async def asked(handler: Handler, keys: CallKeys = KEYS) -> Any:
    transport, security = httpx2.MockTransport(handler), CallSecurity(keys={"vetting": keys})
    urls = {"vetting": "https://vetting.example"}
    async with open_partner_clients(urls, "https://gateway", transport=transport, security=security) as clients:
        return await clients.status("vetting", REQUEST_ID, CASE_ID)


def answering(key: str = VETTING, about: str = REQUEST_ID, ago: timedelta = timedelta(0)) -> Handler:
    headers = sign([Signer.parse(key)], about, datetime.now(UTC) - ago, BODY)
    return lambda _: httpx2.Response(200, content=BODY, headers=headers)


async def test_an_answer_that_the_partner_signed_names_the_key() -> None:
    given = await asked(answering())
    assert isinstance(given, AnswerGiven)
    assert given.proof == Proof("asked", "vetting", Verifier.parse(VETTING).fingerprint)


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (lambda _: httpx2.Response(200, content=BODY), "signature-missing"),
        (answering(new_shared_key()), "signature-wrong"),
        (answering(about=f"{CASE_ID}:earlier"), "signature-wrong"),
        (answering(ago=timedelta(minutes=6)), "signature-stale"),
    ],
    ids=["unsigned", "by another key", "for another request", "replayed"],
)
async def test_a_forged_answer_is_not_believed(handler: Handler, code: str) -> None:
    with pytest.raises(PartnerUnproven) as refused:
        await asked(handler)
    assert refused.value.code == code


async def test_where_no_signature_is_needed_one_that_is_there_must_hold() -> None:
    lenient = CallKeys(partner=KEYS.partner, required=False)
    believed = await asked(lambda _: httpx2.Response(200, content=BODY), lenient)
    assert believed.proof == Proof("none", "vetting")
    with pytest.raises(PartnerUnproven):
        await asked(answering(new_shared_key()), lenient)


@pytest.mark.parametrize("address", ["http://vetting.example", "http://10.0.0.8", "http://vetting"])
async def test_no_request_leaves_this_machine_over_plain_http(address: str) -> None:
    with pytest.raises(ValueError, match="neither https nor on this machine"):
        async with open_partner_clients({"vetting": address}, "https://gateway"):
            pass


class _Nowhere:
    async def deliver(self, at: datetime, answer: PartnerMessage) -> None:
        """Nobody waits for it."""


async def test_an_embedded_stacks_partners_and_worker_know_each_other(tmp_path: Path) -> None:
    files = ensure_partner_keys(tmp_path)
    settings = Settings(partner_keys=files.gateway, call_keys=files.calls)
    passage = {"vetting": (Verifier.parse(json.loads(files.callers.read_text())["vetting"][0]),)}
    own = {"vetting": (Signer.parse(json.loads(files.senders.read_text())["vetting"][0]),)}
    journal = Journal(open_database(IN_MEMORY), AGREEABLE)
    desk = PartnerDesk(journal, _Nowhere(), lambda: datetime.now(UTC))
    transport = httpx2.ASGITransport(create_app(journal, desk, CallProofs(passage, own)))
    urls = {"vetting": "http://partners/vetting"}
    security = call_security(settings)
    async with open_partner_clients(urls, "https://gateway", transport=transport, security=security) as clients:
        await clients.call("vetting", a_check("vetting"))
        assert await clients.status("vetting", REQUEST_ID, CASE_ID) == "pending"
    async with httpx2.AsyncClient(transport=transport, base_url="http://partners") as stranger:
        unsigned = await stranger.get(f"/vetting/v1/requests/{REQUEST_ID}")
    assert (unsigned.status_code, unsigned.json()["code"]) == (401, "signature-missing")


async def test_a_request_is_signed_by_passage() -> None:
    requests: list[httpx2.Request] = []

    def taking(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return answering()(request)

    await asked(taking)
    headers = requests[0].headers
    stamp, signature = headers["webhook-timestamp"], headers["webhook-signature"]
    key = verify([Verifier.parse(PUBLIC)], REQUEST_ID, stamp, signature, b"", datetime.now(UTC))
    assert key.scheme == "v1a"


def test_a_worker_without_keys_does_not_start_where_signatures_are_needed(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="PASSAGE_CALL_KEYS has no key of"):
        call_security(Settings())
    files = ensure_partner_keys(tmp_path)
    with pytest.raises(ConfigurationError, match="PASSAGE_PARTNER_KEYS has no key of"):
        call_security(Settings(call_keys=files.calls))
