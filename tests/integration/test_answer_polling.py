"""An answer that never came is asked for, once its time is over, and taken once, however it comes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from activities.answer_polling import ASKS_MAX, BATCH, AnswerPolling
from activities.partner_requests import PartnerRequests
from activities.partners.agreements import read_agreements
from activities.partners.circuit import TERMS, GuardedPartners
from activities.partners.errors import PartnerMisdirected, PartnerRefused, PartnerUnavailable, PartnerUnproven
from cases.clock import ScaledClock
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmedAnswer, SponsorNotConfirmedAnswer
from eventstore.partner_calls import PartnerStanding
from tests.support.gateway import NOON, Desk, gateway_desk
from tests.support.memory_partners import MemoryPartners
from worker import read_answer

AGREED = read_agreements()
PATIENCE = AGREED["sponsor_registry"].answers_within


@dataclass
class Office:
    """A gateway's desk, the partners, and what asks them for answers."""

    desk: Desk
    partners: MemoryPartners
    polling: AnswerPolling

    async def asked(self, key: str = "filing-1", number: str = "V151234567") -> tuple[str, str]:
        """A case whose supporter registry took the request: its id and the request's."""
        case_id = await self.desk.filed_case(key, given_names=key, passport=_passport(number))
        await self.desk.take_all(case_id)
        store = self.desk.store
        [owed] = await store.outstanding_calls(case_id)
        case = await self.desk.deps.cases.case(case_id)
        assert await self.polling.requests.ask(case, (owed,)) == ()
        return case_id, owed.request_id

    async def round(self, after: timedelta) -> int:
        """A round so long after now, on the machine's clock: what was accepted or asked is as much older."""
        await self.desk.database.execute(
            "UPDATE passage.outbound_call SET accepted_at = accepted_at - $1::interval,"
            " ask_again_at = ask_again_at - $1::interval",
            after,
        )
        return await self.polling.round(datetime.now(UTC))

    async def row(self, request_id: str) -> dict[str, Any]:
        found = await self.desk.database.fetchrow(
            "SELECT asks, asked_at, heard FROM passage.outbound_call WHERE request_id = $1", request_id
        )
        assert found is not None
        return dict(found)

    async def answers(self, case_id: str) -> list[tuple[str, str, str]]:
        rows = await self.desk.database.fetch(
            "SELECT message_id, kind, proof FROM passage.inbox WHERE case_id = $1 AND source = 'sponsor_registry'"
            " ORDER BY number",
            case_id,
        )
        return [tuple(row) for row in rows]

    async def standing(self) -> PartnerStanding:
        now = datetime.now(UTC)
        before = {partner: now - agreed.answers_within for partner, agreed in AGREED.items()}
        found = await self.desk.store.unanswered.standings(before, ASKS_MAX)
        return next(each for each in found if each.partner == "sponsor_registry")


def _passport(number: str) -> dict[str, str]:
    return {"number": number, "issuing_country": "VEN", "issued_on": "2021-03-01", "expires_on": "2026-03-01"}


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with gateway_desk(database_url, tmp_path / "keys") as desk:
        partners = MemoryPartners(lambda: datetime.now(UTC))
        guarded = GuardedPartners(partners.clients(), desk.store.circuits(TERMS))
        clock = ScaledClock(NOON, datetime.now(UTC), 1.0)
        requests = PartnerRequests(desk.deps.cases, guarded)
        polling = AnswerPolling(
            desk.deps.inbox,
            desk.store.unanswered,
            guarded,
            requests,
            AGREED,
            clock,
            read_answer,
            desk.store.guard.record_refusals,
        )
        yield Office(desk, partners, polling)


async def test_nothing_is_asked_before_its_time(office: Office) -> None:
    await office.asked()
    assert await office.round(PATIENCE - timedelta(minutes=1)) == 0
    assert (await office.standing()).overdue == 0


async def test_a_lost_answer_is_asked_for_and_taken_like_any_message(office: Office) -> None:
    case_id, request_id = await office.asked()
    office.partners.answer("sponsor_registry", request_id, SponsorConfirmedAnswer(request_id=request_id))

    assert await office.round(PATIENCE) == 1

    assert await office.answers(case_id) == [
        (f"{request_id}:answer", "sponsor.confirmed", "asked:sponsor_registry:5f3a91c2")
    ]
    assert await office.desk.deps.inbox.claim_notifications(10) != ()  # the relay notifies its case
    await office.desk.take_all(case_id)
    events = [stored.type for stored in (await office.desk.store.load(case_id)).events]
    assert "SponsorConfirmed" in events
    assert (await office.row(request_id))["heard"] == "answered"
    assert await office.round(timedelta(days=400)) == 0


async def test_an_answer_that_the_partner_did_not_sign_is_not_taken_and_is_on_record(office: Office) -> None:
    case_id, _ = await office.asked()
    office.partners.fail_next(PartnerUnproven("sponsor_registry", "signature-wrong"))
    assert await office.round(PATIENCE) == 1

    assert await office.answers(case_id) == []
    rows = await office.desk.database.fetch("SELECT partner, route, code, times FROM passage.refusal")
    assert [tuple(row) for row in rows] == [("sponsor_registry", "asked", "signature-wrong", 1)]


async def test_an_answer_that_comes_after_all_is_the_same_message(office: Office) -> None:
    case_id, request_id = await office.asked()
    office.partners.answer("sponsor_registry", request_id, SponsorConfirmedAnswer(request_id=request_id))
    await office.round(PATIENCE)

    body = {"case": case_id, "message": "sponsor.confirmed", "request_id": request_id}
    late = await office.desk.send("sponsor_registry", f"{request_id}:answer", body)

    assert late.status_code == 202
    assert len(await office.answers(case_id)) == 1


async def test_an_answer_that_is_not_ready_is_asked_for_again_ever_more_rarely(office: Office) -> None:
    _, request_id = await office.asked()
    await office.round(PATIENCE)
    days = [day for day in range(1, 20) if await office.round(timedelta(days=1))]

    assert days == [1, 3, 7, 15]
    row = await office.row(request_id)
    assert (row["asks"], row["heard"]) == (5, "pending")
    assert row["asked_at"] is not None


async def test_after_the_last_asking_a_person_is_told_and_the_partner_is_left_alone(office: Office) -> None:
    case_id, request_id = await office.asked()
    await office.round(PATIENCE)
    with capture_logs() as logs:
        rounds = [await office.round(timedelta(days=400)) for _ in range(ASKS_MAX + 3)]

    assert sum(rounds) == ASKS_MAX - 1
    alarms = [(each["code"], each["case_id"], each["request_id"]) for each in logs if each.get("alarm")]
    assert alarms == [("answer-missing", case_id, request_id)]
    standing = await office.standing()
    assert (standing.unanswered, standing.overdue, standing.asked_in_vain) == (1, 1, 1)


async def test_a_request_that_was_forgotten_is_sent_again_and_has_its_whole_time(office: Office) -> None:
    case_id, request_id = await office.asked()
    office.partners.forget("sponsor_registry", request_id)

    assert await office.round(PATIENCE) == 1

    assert [(each.case_id, each.request_id) for each in office.partners.taken] == [(case_id, request_id)] * 2
    assert (await office.row(request_id))["heard"] == "sent-again"
    assert await office.round(PATIENCE - timedelta(minutes=1)) == 0
    assert await office.round(timedelta(minutes=2)) == 1


async def test_nothing_is_asked_for_a_case_that_is_over(office: Office) -> None:
    case_id, _ = await office.asked()
    await office.desk.send("applicant", "w-1", {"case": case_id, "message": "application.withdrawn"})
    await office.desk.take_all(case_id)

    assert await office.round(PATIENCE * 2) == 0


async def test_two_processes_do_not_ask_for_the_same_answer(office: Office) -> None:
    for number in range(5):
        await office.asked(f"filing-{number}", f"V{number}")
    await office.round(PATIENCE - timedelta(minutes=1))
    at = datetime.now(UTC) + timedelta(minutes=2)

    assert sum(await asyncio.gather(*(office.polling.round(at) for _ in range(4)))) == 5


async def test_a_round_has_its_bound(office: Office) -> None:
    for number in range(BATCH + 2):
        await office.asked(f"filing-{number}", f"V{number}")

    assert [await office.round(each) for each in (PATIENCE, timedelta(), timedelta())] == [BATCH, 2, 0]


async def test_a_dead_partner_is_left_alone_and_asked_when_it_is_back(office: Office) -> None:
    for number in range(TERMS.failures_max + 3):
        await office.asked(f"filing-{number}", f"V{number}")
    office.partners.fail_next(*(PartnerUnavailable("sponsor_registry", "timeout") for _ in range(TERMS.failures_max)))

    assert await office.round(PATIENCE) == TERMS.failures_max
    assert await office.round(timedelta()) == 0
    await office.desk.database.execute("UPDATE passage.partner_circuit SET paused_until = now() - interval '1 s'")
    await asyncio.sleep(1.1)  # what a process remembers of partners

    assert await office.round(timedelta()) == 3
    assert (await office.standing()).failures == 0


@pytest.mark.parametrize(
    ("error", "heard", "code"),
    [
        (PartnerMisdirected("sponsor_registry", "another-case"), "failed", "partner-misdirected"),
        (PartnerRefused("sponsor_registry", "http-405"), "refused", "partner-refused"),
    ],
)
async def test_what_a_partner_should_not_say_is_an_alarm_and_changes_nothing(
    office: Office, error: Exception, heard: str, code: str
) -> None:
    case_id, request_id = await office.asked()
    office.partners.fail_next(error)  # type: ignore[arg-type]  # one of the two above
    with capture_logs() as logs:
        await office.round(PATIENCE)

    assert [each["code"] for each in logs if each.get("alarm")] == [code]
    assert (await office.row(request_id))["heard"] == heard
    assert await office.answers(case_id) == []


async def test_an_answer_other_than_the_one_that_came_is_an_alarm_and_changes_nothing(office: Office) -> None:
    case_id, request_id = await office.asked()
    body = {"case": case_id, "message": "sponsor.confirmed", "request_id": request_id}
    await office.desk.send("sponsor_registry", f"{request_id}:answer", body)  # not decided yet
    answer = SponsorNotConfirmedAnswer(request_id=request_id, why="income")
    office.partners.answer("sponsor_registry", request_id, answer)
    with capture_logs() as logs:
        await office.round(PATIENCE)

    assert [each["code"] for each in logs if each.get("alarm")] == ["message-content-differs"]
    assert [kind for _, kind, _ in await office.answers(case_id)] == ["sponsor.confirmed"]


async def test_an_answer_that_the_case_rejected_is_for_a_person(office: Office) -> None:
    case_id, request_id = await office.asked()
    other = {"case": case_id, "message": "sponsor.confirmed", "request_id": "another:1"}
    await office.desk.send("sponsor_registry", f"{request_id}:answer", other)
    await office.desk.take_all(case_id)
    office.partners.answer("sponsor_registry", request_id, SponsorConfirmedAnswer(request_id="another:1"))
    with capture_logs() as logs:
        await office.round(PATIENCE)

    assert [each["code"] for each in logs if each.get("alarm")] == ["answer-missing"]
