"""Appending and reading back: order, exactly once, every named conflict that is not about places."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.humanitarian_parole.stages.entry import EvidenceDeadlinePassed, EvidenceRequested
from domain.humanitarian_parole.stages.filing import WithdrawalRequest
from domain.humanitarian_parole.stages.sponsor import (
    SponsorConfirmationRequested,
    SponsorWithdrew,
    SponsorWithdrewNotice,
)
from domain.kernel.events import CaseClosed, MessageRejected
from domain.kernel.programme import PlacesChanged, ProgrammeSuspended
from eventstore.conflicts import (
    CommandContentDiffers,
    IllegalAppend,
    MessageDecided,
    MessageFirst,
    ProgrammeConflict,
    VersionConflict,
)
from eventstore.keys import DirectoryKeyStore
from eventstore.port import Decides, EventStore, OpenedCall, ReadAt
from eventstore.summary import SummaryFilter
from tests.support.filings import (
    NOON,
    PROGRAMME,
    Writer,
    file_case,
    filed,
    message,
    new_case_id,
    open_programme,
    programme_summary,
    receive_filing,
    summary,
)


async def test_events_come_back_as_they_were_appended(store: EventStore) -> None:
    writer = Writer(store, new_case_id())
    events = (filed(), SponsorConfirmationRequested(at=NOON, request_id="r1"))
    appended = await writer.append(*events)
    stream = await store.load(writer.stream)
    assert tuple(each.event for each in stream.events) == events
    assert [each.event_id for each in stream.events] == [f"{writer.stream}:1", f"{writer.stream}:2"]
    assert (stream.version, stream.hash) == (2, appended.hash)
    assert not any(each.erased for each in stream.events)


async def test_an_unknown_stream_is_empty(store: EventStore) -> None:
    stream = await store.load(new_case_id())
    assert (stream.events, stream.version, stream.hash) == ((), 0, bytes(32))


async def test_a_stale_version_is_refused_and_changes_nothing(store: EventStore) -> None:
    writer = await file_case(store)
    stale = writer.of(SponsorWithdrew(at=NOON))
    await writer.append(SponsorWithdrew(at=NOON))
    with pytest.raises(VersionConflict):
        await store.append(stale)
    with pytest.raises(VersionConflict):
        await store.append(replace(stale, expected_version=2, previous_hash=bytes(31) + b"x"))
    assert (await store.load(writer.stream)).version == 2


async def test_a_second_first_event_is_refused(store: EventStore) -> None:
    writer = await file_case(store)
    with pytest.raises(VersionConflict):
        await Writer(store, writer.stream).append(filed(), command_id="test:another")


async def test_the_same_command_again_gives_the_first_result(store: EventStore) -> None:
    writer = await file_case(store)
    command = writer.of(SponsorWithdrew(at=NOON), SponsorWithdrew(at=NOON))
    first = await writer.send(command)
    await writer.append(SponsorWithdrew(at=NOON))
    again = await store.append(command)
    assert (again.version, again.hash, again.first_result) == (first.version, first.hash, False)
    fresh = replace(command, expected_version=writer.version, previous_hash=writer.hash)
    assert (await store.append(fresh)).first_result is False
    assert (await store.load(writer.stream)).version == 4


async def test_the_same_command_with_other_content_is_an_alarm(store: EventStore) -> None:
    writer = await file_case(store)
    command = writer.of(SponsorWithdrew(at=NOON))
    await writer.send(command)
    with pytest.raises(CommandContentDiffers):
        await store.append(replace(command, message_digest=b"\x01" * 32))
    assert (await store.load(writer.stream)).version == 2


async def test_one_of_many_concurrent_appends_wins(store: EventStore) -> None:
    writer = await file_case(store)
    results = await asyncio.gather(
        *(store.append(writer.of(SponsorWithdrew(at=NOON))) for _ in range(20)), return_exceptions=True
    )
    assert sum(not isinstance(each, BaseException) for each in results) == 1
    assert sum(isinstance(each, VersionConflict) for each in results) == 19
    assert (await store.load(writer.stream)).version == 2


async def test_a_case_decided_under_an_older_programme_is_refused(store: EventStore) -> None:
    programme = await open_programme(store)
    writer = await file_case(store, read_at=ReadAt(programme_version=1))
    await programme.append(ProgrammeSuspended(at=NOON), summary=programme_summary(status="suspended"))
    with pytest.raises(ProgrammeConflict):
        await writer.append(SponsorWithdrew(at=NOON), read_at=ReadAt(programme_version=1))
    await writer.append(SponsorWithdrew(at=NOON), read_at=ReadAt(programme_version=2))


async def test_a_message_is_decided_with_the_append_and_once(store: EventStore) -> None:
    writer = await file_case(store)
    receipt = await store.inbox.receive(message(writer.stream, "m1", SponsorWithdrewNotice()))
    decides = Decides(receipt.number, "accepted")
    await writer.append(SponsorWithdrew(at=NOON), decides=decides, command_id="supporter:m1")
    again = await store.inbox.receive(message(writer.stream, "m1", SponsorWithdrewNotice()))
    assert (again.number, again.first, again.answer) == (receipt.number, False, "accepted")
    with pytest.raises(MessageDecided):
        await writer.append(SponsorWithdrew(at=NOON), decides=decides, command_id="supporter:other")
    assert (await store.load(writer.stream)).version == 2
    assert await store.inbox.next_undecided(writer.stream) is None


async def test_a_message_to_a_closed_case_is_answered_without_an_event(store: EventStore) -> None:
    writer = await file_case(store)
    await writer.append(
        CaseClosed(at=NOON, outcome="withdrawn", reason="applicant-withdrew"),
        summary=summary(writer.stream, stage="closed", waiting_on=None, outcome="withdrawn", closed=True),
    )
    receipt = await store.inbox.receive(message(writer.stream, "late", WithdrawalRequest()))
    refusal = writer.of(decides=Decides(receipt.number, "rejected", "closed"), command_id="applicant:late")
    assert (await store.append(refusal)).version == 2
    assert (await store.append(refusal)).first_result is False
    answered = await store.inbox.get("applicant", "late")
    assert answered is not None
    assert (answered.answer, answered.code) == ("rejected", "closed")


async def test_a_deadline_waits_for_a_message_received_before_it(store: EventStore) -> None:
    writer = await file_case(store)
    due = NOON + timedelta(days=30)
    receipt = await store.inbox.receive(
        message(writer.stream, "in-time", WithdrawalRequest(), received_at=due - timedelta(microseconds=1))
    )
    passed = writer.of(EvidenceDeadlinePassed(at=due), deadline=due, command_id="deadline:evidence:1")
    with pytest.raises(MessageFirst):
        await store.append(passed)
    await writer.append(
        MessageRejected(at=NOON, kind="application.withdrawn", code="not-now"),
        decides=Decides(receipt.number, "rejected", "not-now"),
    )
    assert (await writer.append(EvidenceDeadlinePassed(at=due), deadline=due)).first_result


async def test_a_message_at_the_deadlines_own_instant_does_not_stop_it(store: EventStore) -> None:
    writer = await file_case(store)
    due = NOON + timedelta(days=30)
    await store.inbox.receive(message(writer.stream, "late", WithdrawalRequest(), received_at=due))
    assert (await writer.append(EvidenceDeadlinePassed(at=due), deadline=due)).version == 2


async def test_a_message_written_after_a_deadline_was_applied_is_not_earlier_than_it(store: EventStore) -> None:
    writer = await file_case(store)
    due = NOON + timedelta(days=30)
    await writer.append(EvidenceDeadlinePassed(at=due), deadline=due)
    receipt = await store.inbox.receive(
        message(writer.stream, "slow", WithdrawalRequest(), received_at=due - timedelta(milliseconds=5))
    )
    assert receipt.received_at == due


async def test_a_deadline_that_changed_nothing_was_applied_all_the_same(store: EventStore) -> None:
    writer = await file_case(store)
    due = NOON + timedelta(days=30)
    await writer.append(deadline=due, summary=None)
    assert (await store.load(writer.stream)).version == 1
    slow = message(writer.stream, "slow", WithdrawalRequest(), received_at=due - timedelta(milliseconds=5))
    assert (await store.inbox.receive(slow)).received_at == due


async def test_an_erased_case_reads_as_stand_ins_and_keeps_its_hashes(
    store: EventStore, keys: DirectoryKeyStore
) -> None:
    writer = await file_case(store)
    before = await store.load(writer.stream)
    await keys.destroy(writer.stream)
    after = await store.load(writer.stream)
    assert after.events[0].erased
    assert after.events[0].event.application.beneficiary.surnames == "erased"  # type: ignore[union-attr]  # a filing
    assert after.events[0].event.programme == PROGRAMME  # type: ignore[union-attr]  # a filing
    assert after.hash == before.hash


async def test_calls_are_owed_until_accepted_or_dropped(store: EventStore) -> None:
    calls = (OpenedCall("r1", "sponsor_registry"), OpenedCall("r2", "vetting"))
    writer = await file_case(store, calls=calls)
    await store.mark_call("r1", accepted=False)
    assert await store.outstanding_calls(writer.stream) == (OpenedCall("r1", "sponsor_registry", 1), calls[1])
    await store.mark_call("r1", accepted=True)
    assert await store.outstanding_calls(writer.stream) == (calls[1],)
    await writer.append(EvidenceRequested(at=NOON), drops_calls=("r2",))
    assert await store.outstanding_calls(writer.stream) == ()


async def test_the_head_shows_the_latest_summary(store: EventStore) -> None:
    writer = await file_case(store)
    latest = summary(writer.stream, stage="proof_of_entry", waiting_on="applicant", due_name="evidence", due_at=NOON)
    await writer.append(EvidenceRequested(at=NOON), summary=latest)
    assert await store.summary(writer.stream) == latest
    assert await store.summary(new_case_id()) is None


async def test_cases_are_listed_in_the_order_of_their_filing(store: EventStore) -> None:
    ids = [new_case_id() for _ in range(4)]
    numbers = {case_id: (await receive_filing(store.inbox, case_id)).number for case_id in ids}
    for case_id in reversed(ids):
        stage = "proof_of_entry" if case_id == ids[2] else "sponsor_confirmation"
        await file_case(
            store, case_id, decides=Decides(numbers[case_id], "accepted"), summary=summary(case_id, stage=stage)
        )
    assert [each.case_id async for each in store.summaries(SummaryFilter())] == ids
    chosen = [each.case_id async for each in store.summaries(SummaryFilter(stage="sponsor_confirmation", limit=2))]
    assert chosen == ids[:2]
    assert [each async for each in store.summaries(SummaryFilter(open=False))] == []


async def test_cases_that_need_a_running_workflow_are_found(store: EventStore) -> None:
    overdue = await file_case(store, summary=summary(Writer(store, "").stream or new_case_id(), waiting_on=None))
    await overdue.append(
        EvidenceRequested(at=NOON),
        summary=summary(overdue.stream, due_name="evidence", due_at=NOON, waiting_on="applicant"),
    )
    closed = await file_case(store)
    await closed.append(
        CaseClosed(at=NOON, outcome="withdrawn"),
        summary=summary(closed.stream, stage="closed", waiting_on=None, closed=True),
    )
    unfiled = new_case_id()
    await receive_filing(store.inbox, unfiled)
    assert [each async for each in store.stuck_candidates()] == [overdue.stream, unfiled]


async def test_a_programme_notifies_every_open_case_or_those_that_wait_on_it(store: EventStore) -> None:
    programme = await open_programme(store)
    held = await file_case(store)
    await held.append(SponsorWithdrew(at=NOON), summary=summary(held.stream, held=True))
    other = await file_case(store)
    changed = PlacesChanged(at=NOON, places=1)
    appended = await programme.append(changed, notifies="waiting", summary=programme_summary(1))
    assert [notification.case_id for notification in appended.notifications] == [held.stream]
    appended = await programme.append(changed, notifies="all", summary=programme_summary(2))
    assert {notification.case_id for notification in appended.notifications} == {held.stream, other.stream}
    row = await store.inbox.next_undecided(other.stream)
    assert row is not None
    assert (row.kind, row.source, row.received_at) == ("programme.changed", "passage", NOON)


@pytest.mark.parametrize(
    "broken",
    [
        {"summary": None},
        {"message_digest": b"short"},
        {"notifies": "all"},
        {"events": ()},
        {"previous_hash": b"\x01" * 32},
    ],
)
async def test_an_append_that_does_not_hang_together_is_a_defect(store: EventStore, broken: dict[str, Any]) -> None:
    writer = Writer(store, new_case_id())
    with pytest.raises(IllegalAppend):
        await store.append(replace(writer.of(filed()), **broken))
    assert (await store.load(writer.stream)).version == 0
