"""When a simulated partner takes a request, what it promises to answer, and when; in one process, without a server."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from activities.partners.clients import PartnerClients, open_partner_clients
from activities.partners.requests import AnswerGiven
from domain.humanitarian_parole.stages.vetting import VettingHitAnswer
from domain.kernel.ids import Code
from simulators.app import create_app
from simulators.desk import PartnerDesk
from simulators.journal import IN_MEMORY, Journal, open_database
from simulators.messages import PartnerMessage
from simulators.scripts import PARTNERS, PartnerScripts
from tests.support.partner_calls import CASE_ID, OTHER_CASE_ID, a_check

NOON = datetime(2022, 10, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Office:
    """The partners in this process: a clock that only a test moves, and a note of what is to be delivered when."""

    now: datetime = NOON
    due: list[tuple[datetime, PartnerMessage]] = field(default_factory=list)
    journal: Journal = field(default_factory=lambda: Journal(open_database(IN_MEMORY), PartnerScripts()))

    async def deliver(self, at: datetime, answer: PartnerMessage) -> None:
        await asyncio.sleep(0)
        self.due.append((at, answer))

    def told(self, case_id: str = CASE_ID, **behaviour: Any) -> None:
        told = {"answer": "vetting.hit", "after": "PT1H", "kind": "name-match"} | behaviour
        self.journal.set_for_case(case_id, PartnerScripts.model_validate({"vetting": told}))


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
async def clients(office: Office) -> AsyncIterator[PartnerClients]:
    app = create_app(office.journal, PartnerDesk(office.journal, office, lambda: office.now))
    urls: dict[Code, str] = {partner: f"http://partners/{partner}" for partner in PARTNERS}
    async with open_partner_clients(urls, "http://gateway", transport=httpx2.ASGITransport(app)) as clients:
        yield clients


async def test_the_answer_is_due_its_time_after_the_accepted_call(office: Office, clients: PartnerClients) -> None:
    office.told(fail=2)
    for _ in range(2):
        with pytest.raises(Exception, match="http-503"):
            await clients.call("vetting", a_check())
        office.now += HOUR

    accepted = await clients.call("vetting", a_check())

    assert accepted.accepted_at == NOON + 2 * HOUR
    answer = VettingHitAnswer(request_id=f"{CASE_ID}:vetting", kind="name-match")
    message = PartnerMessage("vetting", f"{CASE_ID}:vetting:answer", CASE_ID, answer)
    assert office.due == [(NOON + 3 * HOUR, message)]


async def test_a_repeated_call_moves_nothing(office: Office, clients: PartnerClients) -> None:
    office.told()
    first = await clients.call("vetting", a_check())
    office.now += HOUR

    assert await clients.call("vetting", a_check()) == first
    assert len(office.due) == 1


async def test_calls_at_the_same_moment_are_one(office: Office, clients: PartnerClients) -> None:
    office.told()

    receipts = await asyncio.gather(*(clients.call("vetting", a_check()) for _ in range(20)))

    assert len(set(receipts)) == 1
    assert len(office.due) == 1


async def test_failed_calls_are_counted_for_each_case_and_partner(office: Office, clients: PartnerClients) -> None:
    office.told(fail=1)
    office.told(case_id=OTHER_CASE_ID, fail=1)
    outcomes = []
    for case_id in (CASE_ID, OTHER_CASE_ID):
        for request_id in (f"{case_id}:1", f"{case_id}:2"):
            try:
                await clients.call("vetting", a_check(case_id=case_id, request_id=request_id))
                outcomes.append("taken")
            except Exception as error:  # noqa: BLE001  whatever it is, the list below shows it
                outcomes.append(str(error))

    assert outcomes == ["vetting: http-503", "taken", "vetting: http-503", "taken"]


async def test_an_early_answer_is_due_at_once_whatever_its_time(office: Office, clients: PartnerClients) -> None:
    office.told(after="P30D", faults={"early": True})

    await clients.call("vetting", a_check())

    assert [at for at, _ in office.due] == [NOON]


async def test_an_answer_that_could_not_be_noted_is_noted_by_the_next_call(
    office: Office, clients: PartnerClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_at: datetime, _answer: PartnerMessage) -> None:
        raise OSError("disk full")

    office.told()
    with monkeypatch.context() as patched:
        patched.setattr(office, "deliver", full)
        with pytest.raises(Exception, match="vetting: connection"):
            await clients.call("vetting", a_check())
    await clients.call("vetting", a_check())

    assert len(office.due) == 1


async def test_who_was_told_nothing_takes_the_call_and_stays_silent(office: Office, clients: PartnerClients) -> None:
    accepted = await clients.call("entry_records", a_check("entry_records"))

    assert accepted.accepted_at == NOON
    assert office.due == []


async def test_a_partner_is_not_sent_answers_for_another(office: Office) -> None:
    desk = PartnerDesk(office.journal, office, lambda: office.now)
    transport = httpx2.ASGITransport(create_app(office.journal, desk))
    body = a_check().model_dump(mode="json") | {"reply_to": "http://gateway/v1/partners/border/messages"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://partners") as http:
        wrong_address = await http.post("/vetting/v1/requests", json=body, headers={"Idempotency-Key": "VEN:1"})
        body["reply_to"] = "http://gateway/v1/partners/vetting/messages"
        wrong_key = await http.post("/vetting/v1/requests", json=body, headers={"Idempotency-Key": "VEN:1"})
        huge = await http.post("/vetting/v1/requests", content=b" " * (4 * 1024 * 1024 + 1))

    assert (wrong_address.status_code, wrong_key.status_code, huge.status_code) == (422, 422, 413)
    assert office.due == []


def test_the_partners_show_what_they_take(office: Office) -> None:
    schema = create_app(office.journal, PartnerDesk(office.journal, office, lambda: office.now)).openapi()

    assert {f"/{partner}/v1/requests" for partner in PARTNERS} <= set(schema["paths"])
    assert set(schema["components"]["schemas"]["VettingCall"]["required"]) == {
        "request_id",
        "case_id",
        "requested_at",
        "beneficiary",
        "reply_to",
    }


async def test_a_lost_answer_is_due_for_nobody_and_told_to_who_asks(office: Office, clients: PartnerClients) -> None:
    office.told(faults={"lost": True})
    await clients.call("vetting", a_check())
    assert await clients.status("vetting", a_check().request_id, CASE_ID) == "pending"
    office.now += HOUR

    given = await clients.status("vetting", a_check().request_id, CASE_ID)

    assert office.due == []
    assert isinstance(given, AnswerGiven)
    assert json.loads(given.body) == {
        "case": CASE_ID, "message": "vetting.hit", "kind": "name-match", "request_id": a_check().request_id
    }  # fmt: skip


async def test_who_stays_silent_is_never_done(office: Office, clients: PartnerClients) -> None:
    await clients.call("entry_records", a_check("entry_records"))
    office.now += 1000 * HOUR
    assert await clients.status("entry_records", a_check("entry_records").request_id, CASE_ID) == "pending"
