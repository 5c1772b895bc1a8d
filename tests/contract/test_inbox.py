"""Every message once, in number order, never lost; and whose cases are notified of it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.humanitarian_parole.stages.entry import EvidenceSubmission
from domain.humanitarian_parole.stages.filing import WithdrawalRequest
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmedAnswer, SponsorNotConfirmedAnswer, SponsorWithdrew
from domain.kernel.messages import OfficerDecision, ProgrammeSuspension
from domain.kernel.proof import claimed
from eventstore.inbox import Incoming, MessageContentDiffers, UnknownStream
from eventstore.keys import DirectoryKeyStore, KeyDestroyed
from eventstore.port import Decides
from eventstore.postgres.store import PostgresStore
from tests.support.filings import (
    NOON,
    PROGRAMME,
    application,
    file_case,
    filing,
    message,
    new_case_id,
    open_programme,
    receive_filing,
)


async def test_a_message_is_read_back_whole(store: PostgresStore) -> None:
    case_id = new_case_id()
    receipt = await receive_filing(store.inbox, case_id, "f1")
    row = await store.inbox.next_undecided(case_id)
    assert row is not None
    assert (row.number, row.stream, row.case_id, row.programme) == (receipt.number, case_id, case_id, PROGRAMME)
    assert (row.source, row.message_id, row.kind) == ("supporter", "f1", "application.submitted")
    assert row.body.application == application()
    assert (row.received_at, row.proof, len(row.digest)) == (NOON, claimed("supporter"), 32)


async def test_a_case_takes_messages_before_its_filing_is_decided(store: PostgresStore) -> None:
    case_id = new_case_id()
    await receive_filing(store.inbox, case_id)
    receipt = await store.inbox.receive(message(case_id, "w1", WithdrawalRequest()))
    row = await store.inbox.next_undecided(case_id)
    assert row is not None
    assert row.number < receipt.number


async def test_the_same_message_gives_the_first_receipt(store: PostgresStore) -> None:
    case_id = new_case_id()
    first = await receive_filing(store.inbox, case_id, "f1")
    again = await receive_filing(store.inbox, new_case_id(), "f1")
    assert (again.number, again.case_id, again.first) == (first.number, case_id, False)
    assert await store.inbox.get("supporter", "f1") == again
    assert await store.inbox.get("applicant", "f1") is None


async def test_twenty_deliveries_at_once_make_one_row(store: PostgresStore) -> None:
    receipts = await asyncio.gather(*(receive_filing(store.inbox, new_case_id(), "f1") for _ in range(20)))
    assert len({receipt.number for receipt in receipts}) == 1
    assert sum(receipt.first for receipt in receipts) == 1
    assert len({receipt.case_id for receipt in receipts}) == 1


async def test_the_same_id_with_another_body_is_an_alarm(store: PostgresStore) -> None:
    writer = await file_case(store)
    incoming = message(writer.stream, "m1", SponsorNotConfirmedAnswer(why="no income"))
    await store.inbox.receive(incoming)
    with pytest.raises(MessageContentDiffers):
        await store.inbox.receive(replace(incoming, body=SponsorNotConfirmedAnswer(why="another")))
    other = await file_case(store)
    with pytest.raises(MessageContentDiffers):
        await store.inbox.receive(replace(incoming, case_id=other.stream))
    await receive_filing(store.inbox, new_case_id(), "f1")
    changed = filing(new_case_id(), "f1").body.model_copy(update={"application": application("999")})
    with pytest.raises(MessageContentDiffers):
        await receive_filing(store.inbox, new_case_id(), "f1", body=changed)


async def test_a_message_to_nobody_is_refused(store: PostgresStore) -> None:
    with pytest.raises(UnknownStream):
        await store.inbox.receive(message(new_case_id(), "m1", SponsorConfirmedAnswer()))
    with pytest.raises(UnknownStream):
        await store.inbox.receive(_to_programme("p1"))


async def test_an_erased_case_takes_nothing_more(store: PostgresStore, keys: DirectoryKeyStore) -> None:
    writer = await file_case(store)
    await keys.destroy(writer.stream)
    with pytest.raises(KeyDestroyed):
        await store.inbox.receive(message(writer.stream, "m1", WithdrawalRequest()))


async def test_a_message_to_the_programme_waits_in_its_own_stream(store: PostgresStore) -> None:
    programme = await open_programme(store)
    receipt = await store.inbox.receive(_to_programme("p1"))
    assert (receipt.stream, receipt.case_id) == (PROGRAMME, None)
    row = await store.inbox.next_undecided(PROGRAMME)
    assert row is not None
    assert (row.kind, row.body) == ("programme.suspended", ProgrammeSuspension())
    await programme.append(decides=Decides(receipt.number, "rejected", "already-suspended"))
    assert await store.inbox.next_undecided(PROGRAMME) is None


async def test_rows_come_in_the_order_of_their_numbers(store: PostgresStore) -> None:
    writer = await file_case(store)
    receipts = await asyncio.gather(
        *(store.inbox.receive(message(writer.stream, f"m{n}", EvidenceSubmission(documents=()))) for n in range(12))
    )
    taken = []
    while (row := await store.inbox.next_undecided(writer.stream)) is not None:
        taken.append(row.number)
        await writer.append(SponsorWithdrew(at=NOON), decides=Decides(row.number, "accepted"))
    assert taken == sorted(receipt.number for receipt in receipts)


async def test_boarding_asks_for_kinds(store: PostgresStore) -> None:
    writer = await file_case(store)
    await store.inbox.receive(message(writer.stream, "m1", WithdrawalRequest()))
    assert await store.inbox.has_undecided(writer.stream)
    assert await store.inbox.has_undecided(writer.stream, ["application.withdrawn", "sponsor.withdrew"])
    assert not await store.inbox.has_undecided(writer.stream, ["sponsor.withdrew"])


async def test_a_notification_is_claimed_by_one_relay_and_not_again_at_once(store: PostgresStore) -> None:
    writer = await file_case(store)
    numbers = [
        (await store.inbox.receive(message(writer.stream, f"m{n}", WithdrawalRequest()))).number for n in range(6)
    ]
    await store.inbox.mark_notified(numbers[:1])
    claims = await asyncio.gather(*(store.inbox.claim_notifications(3) for _ in range(3)))
    claimed = [each.number for claim in claims for each in claim]
    assert sorted(claimed) == numbers[1:]
    assert (claims[0] or claims[1] or claims[2])[0].case_id == writer.stream
    assert await store.inbox.claim_notifications(10) == ()


async def test_a_decided_row_is_never_notified(store: PostgresStore) -> None:
    writer = await file_case(store)
    receipt = await store.inbox.receive(message(writer.stream, "m1", WithdrawalRequest()))
    await writer.append(SponsorWithdrew(at=NOON), decides=Decides(receipt.number, "accepted"))
    assert await store.inbox.claim_notifications(10) == ()


async def test_one_case_does_not_decide_anothers_row(store: PostgresStore) -> None:
    writer, other = await file_case(store), await file_case(store)
    body = OfficerDecision(officer="o-1", decision="approve", why="looked at")
    receipt = await store.inbox.receive(message(writer.stream, "m1", body))
    with pytest.raises(Exception, match="message-already-decided"):
        await other.append(SponsorWithdrew(at=NOON), decides=Decides(receipt.number, "accepted"))
    assert await store.inbox.next_undecided(writer.stream) is not None


async def test_numbers_and_moments_of_a_case_go_together(store: PostgresStore) -> None:
    """Two gateways stamp within a moment: what commits later is not earlier, or a deadline could fall between."""
    case_id = new_case_id()
    await receive_filing(store.inbox, case_id)
    late = replace(message(case_id, "w1", WithdrawalRequest()), received_at=NOON + timedelta(seconds=2))
    early = replace(message(case_id, "w2", WithdrawalRequest()), received_at=NOON + timedelta(seconds=1))
    first, second = await store.inbox.receive(late), await store.inbox.receive(early)
    assert first.number < second.number
    assert first.received_at == second.received_at == NOON + timedelta(seconds=2)


def _to_programme(message_id: str) -> Incoming:
    return Incoming(
        source="governments",
        message_id=message_id,
        case_id=None,
        programme=PROGRAMME,
        body=ProgrammeSuspension(),
        received_at=NOON,
        proof=claimed("governments"),
    )
