"""One suite for what stands above the partners: the clients against the simulators over HTTP, and those in memory."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.partners.circuit import Partners as AnyClients
from activities.partners.clients import open_partner_clients
from activities.partners.errors import (
    PartnerBusy,
    PartnerError,
    PartnerMalformed,
    PartnerMisdirected,
    PartnerUnavailable,
)
from activities.partners.requests import AnswerGiven
from cases.inbound.wire import read_message
from domain import registry
from domain.humanitarian_parole.stages.entry import EntryMatchedAnswer
from domain.humanitarian_parole.stages.parole import WorkPermitEligibleAnswer
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmedAnswer
from domain.humanitarian_parole.stages.vetting import VettingClearedAnswer
from domain.kernel.ids import Code
from domain.kernel.messages import PartnerAnswer
from simulators.app import create_app
from simulators.desk import PartnerDesk
from simulators.journal import IN_MEMORY, Journal, open_database
from simulators.messages import PartnerMessage
from simulators.scripts import AGREEABLE, PartnerScripts
from tests.support.memory_partners import MemoryPartners
from tests.support.partner_calls import CASE_ID, OTHER_CASE_ID, a_check, partner_of, served

PARTNERS: tuple[Code, ...] = registry.partners()
TAKEN_AT = datetime(2022, 10, 20, 14, 0, 5, tzinfo=UTC)
ANSWERS: dict[Code, PartnerAnswer] = {
    "sponsor_registry": SponsorConfirmedAnswer(),
    "entry_records": EntryMatchedAnswer(),
    "vetting": VettingClearedAnswer(),
    "work_permit_office": WorkPermitEligibleAnswer(),
}
TROUBLE: dict[str, tuple[dict[str, Any], type[PartnerError]]] = {
    "unavailable": ({"fail": 1}, PartnerUnavailable),
    "busy": ({"faults": {"busy": 1, "retry_after_s": 7}}, PartnerBusy),
    "malformed": ({"faults": {"malformed": 1}}, PartnerMalformed),
    "oversized": ({"faults": {"oversized": 1}}, PartnerMalformed),
    "misdirected": ({"faults": {"misdirected": 1}}, PartnerMisdirected),
}


@dataclass
class Partners:
    """The clients under test; how to make the next call fail or be forgotten; which requests the partners hold.

    `answer` has a request answered though nobody hears of it.
    """

    clients: AnyClients
    trouble: Callable[[Code, str], None]
    taken: Callable[[], list[tuple[Code, str]]]
    answer: Callable[[Code, str], None]
    forget: Callable[[Code], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def in_memory() -> AsyncIterator[Partners]:
    partners = MemoryPartners(lambda: TAKEN_AT)

    def trouble(partner: Code, kind: str) -> None:
        error = TROUBLE[kind][1]
        partners.fail_next(error(partner, kind, retry_after_s=7.0 if error is PartnerBusy else None))

    def taken() -> list[tuple[Code, str]]:
        return [(partner_of(each), each.request_id) for each in partners.taken]

    def answer(partner: Code, request_id: str) -> None:
        partners.answer(partner, request_id, ANSWERS[partner].model_copy(update={"request_id": request_id}))

    @asynccontextmanager
    async def forget(partner: Code) -> AsyncIterator[None]:
        yield
        partners.forget(partner, a_check(partner).request_id)

    yield Partners(partners.clients(), trouble, taken, answer, forget)


class Noted:
    """A scheduler that only notes what it is to deliver."""

    def __init__(self) -> None:
        self.answers: list[PartnerMessage] = []

    async def deliver(self, at: datetime, answer: PartnerMessage) -> None:
        assert at >= TAKEN_AT
        self.answers.append(answer)


@asynccontextmanager
async def over_http() -> AsyncIterator[Partners]:
    journal, noted, late = Journal(open_database(IN_MEMORY), AGREEABLE), Noted(), timedelta()
    app = create_app(journal, PartnerDesk(journal, noted, lambda: TAKEN_AT + late))

    def trouble(partner: Code, kind: str) -> None:
        agreeable = AGREEABLE.of(partner)
        assert agreeable is not None
        told = {"answer": agreeable.answer} | TROUBLE[kind][0]
        journal.set_for_case(CASE_ID, PartnerScripts.model_validate({partner: told}))

    def taken() -> list[tuple[Code, str]]:
        return [(each.partner, each.answer.request_id or "") for each in noted.answers]

    def answer(_partner: Code, _request_id: str) -> None:
        nonlocal late
        late = timedelta(days=30)

    @asynccontextmanager
    async def forget(partner: Code) -> AsyncIterator[None]:
        agreeable = AGREEABLE.of(partner)
        assert agreeable is not None
        told = {"answer": agreeable.answer, "after": "P5D", "faults": {"forgotten": 1}}
        journal.set_for_case(CASE_ID, PartnerScripts.model_validate({partner: told}))
        yield

    async with served(app) as url:
        urls: dict[Code, str] = {partner: f"{url}/{partner}" for partner in PARTNERS}
        async with open_partner_clients(urls, "http://gateway.example") as clients:
            yield Partners(clients, trouble, taken, answer, forget)


@pytest.fixture(params=[in_memory, over_http], ids=["memory", "http"])
async def partners(request: pytest.FixtureRequest) -> AsyncIterator[Partners]:
    opened: Callable[[], AbstractAsyncContextManager[Partners]] = request.param
    async with opened() as partners:
        yield partners


@pytest.mark.parametrize("partner", PARTNERS)
async def test_a_partner_takes_a_request_and_says_when(partners: Partners, partner: Code) -> None:
    accepted = await partners.clients.call(partner, a_check(partner))

    assert (accepted.request_id, accepted.accepted_at) == (f"{CASE_ID}:{partner}", TAKEN_AT)
    assert partners.taken() == [(partner, f"{CASE_ID}:{partner}")]


async def test_the_same_request_again_gets_the_first_receipt_and_is_taken_once(partners: Partners) -> None:
    first = await partners.clients.call("vetting", a_check())
    again = await partners.clients.call("vetting", a_check())

    assert again == first
    assert len(partners.taken()) == 1


async def test_a_second_request_of_the_same_case_is_another_one(partners: Partners) -> None:
    for request_id in ("r:1", "r:2"):
        await partners.clients.call("vetting", a_check(request_id=request_id))

    assert partners.taken() == [("vetting", "r:1"), ("vetting", "r:2")]


async def test_one_partner_does_not_know_anothers_requests(partners: Partners) -> None:
    for partner in PARTNERS:
        await partners.clients.call(partner, a_check(partner, request_id="r:1"))

    assert partners.taken() == [(partner, "r:1") for partner in PARTNERS]


@pytest.mark.parametrize("kind", TROUBLE)
@pytest.mark.parametrize("partner", PARTNERS)
async def test_after_trouble_the_same_request_is_taken_once(partners: Partners, partner: Code, kind: str) -> None:
    partners.trouble(partner, kind)

    with pytest.raises(TROUBLE[kind][1]) as raised:
        await partners.clients.call(partner, a_check(partner))
    accepted = await partners.clients.call(partner, a_check(partner))

    assert raised.value.partner == partner
    assert raised.value.retry_after_s == (7.0 if kind == "busy" else None)
    assert accepted.request_id == f"{CASE_ID}:{partner}"
    assert partners.taken() == [(partner, f"{CASE_ID}:{partner}")]


async def test_trouble_with_one_partner_is_no_trouble_with_another(partners: Partners) -> None:
    partners.trouble("vetting", "unavailable")

    await partners.clients.call("entry_records", a_check("entry_records"))
    await partners.clients.call("sponsor_registry", a_check("sponsor_registry", case_id=OTHER_CASE_ID))

    assert len(partners.taken()) == 2


async def test_a_partner_that_was_not_asked_knows_no_such_request(partners: Partners) -> None:
    assert await partners.clients.status("vetting", a_check().request_id, CASE_ID) == "unknown"


@pytest.mark.parametrize("partner", PARTNERS)
async def test_a_request_is_pending_and_then_has_its_answer_under_the_id_it_was_sent_with(
    partners: Partners, partner: Code
) -> None:
    request_id = a_check(partner).request_id
    await partners.clients.call(partner, a_check(partner))
    assert await partners.clients.status(partner, request_id, CASE_ID) == "pending"

    partners.answer(partner, request_id)

    given = await partners.clients.status(partner, request_id, CASE_ID)
    assert isinstance(given, AnswerGiven)
    assert given.message_id == f"{request_id}:answer"
    message = read_message(given.body, partner)
    assert (message.case_id, message.content) == (
        CASE_ID, ANSWERS[partner].model_copy(update={"request_id": request_id})
    )  # fmt: skip
    assert await partners.clients.status(partner, request_id, CASE_ID) == given


async def test_a_request_that_a_partner_forgot_is_unknown_and_can_be_sent_again(partners: Partners) -> None:
    async with partners.forget("vetting"):
        await partners.clients.call("vetting", a_check())
    assert await partners.clients.status("vetting", a_check().request_id, CASE_ID) == "unknown"

    await partners.clients.call("vetting", a_check())

    assert await partners.clients.status("vetting", a_check().request_id, CASE_ID) == "pending"


async def test_one_partner_says_nothing_of_anothers_requests(partners: Partners) -> None:
    await partners.clients.call("vetting", a_check())
    assert await partners.clients.status("entry_records", a_check().request_id, CASE_ID) == "unknown"
