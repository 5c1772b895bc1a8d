"""What is read with a case, and known again after an append, is what the single questions would tell."""

from domain.events import EvidenceRequested, SponsorWithdrew, Waitlisted
from domain.messages import SponsorConfirmedAnswer, WithdrawalRequest
from eventstore.memory import MemoryStore
from eventstore.places import AllotPlaces, FreePlace, JoinWaitingList, TakePlace
from eventstore.port import Decides, Look, OpenedCall, Pending
from eventstore.postgres.store import PostgresStore
from eventstore.world import WorldQuery
from tests.support.filings import (
    MONTH,
    NOON,
    PROGRAMME,
    Writer,
    file_case,
    filed,
    message,
    new_case_id,
    open_programme,
    receive_filing,
)

Store = MemoryStore | PostgresStore
CALLS = (OpenedCall("r1", "sponsor_registry"), OpenedCall("r2", "vetting"))
TAKEN = Waitlisted(at=NOON)


async def pending(store: Store, case_id: str) -> Pending:
    return Pending(await store.inbox.next_undecided(case_id), await store.outstanding_calls(case_id))


async def test_a_look_is_what_each_question_alone_would_tell(store: Store) -> None:
    await open_programme(store)
    writer = await file_case(store, calls=CALLS)
    await store.mark_call("r2", accepted=False)
    for number in range(2):
        await store.inbox.receive(message(writer.stream, f"m{number}", WithdrawalRequest()))
    assert await store.look(writer.stream, MONTH) == Look(
        stream=await store.load(writer.stream),
        programme=PROGRAMME,
        pending=await pending(store, writer.stream),
        world=await store.read_world(WorldQuery(programme=PROGRAMME, case_id=writer.stream, month=MONTH)),
    )


async def test_a_filing_that_waits_is_seen_with_its_programme(store: Store) -> None:
    await open_programme(store)
    case_id = new_case_id()
    receipt = await receive_filing(store.inbox, case_id)
    look = await store.look(case_id, MONTH)
    assert (look.stream.version, look.programme, look.world.programme_version) == (0, PROGRAMME, 1)
    assert look.pending.row is not None
    assert look.pending.row.number == receipt.number


async def test_nothing_is_seen_where_nobody_filed(store: Store) -> None:
    look = await store.look(new_case_id(), MONTH)
    assert (look.stream.version, look.programme, look.pending) == (0, "", Pending(None, ()))


async def test_an_append_tells_what_then_waits(store: Store) -> None:
    case_id = new_case_id()
    filing = await receive_filing(store.inbox, case_id)
    second = await store.inbox.receive(message(case_id, "m1", SponsorConfirmedAnswer()))
    third = await store.inbox.receive(message(case_id, "m2", WithdrawalRequest()))
    writer = Writer(store, case_id)
    done = await writer.append(filed(), decides=Decides(filing.number, "accepted"), calls=CALLS)
    assert done.pending == await pending(store, case_id)
    assert done.pending is not None
    assert done.pending.row is not None
    assert (done.pending.row.number, done.pending.calls) == (second.number, CALLS)

    await store.mark_call("r2", accepted=False)
    done = await writer.append(
        SponsorWithdrew(at=NOON), decides=Decides(second.number, "accepted"), drops_calls=("r1",)
    )
    assert done.pending == await pending(store, case_id)
    assert done.pending is not None
    assert done.pending.calls == (OpenedCall("r2", "vetting", 1),)

    done = await writer.append(decides=Decides(third.number, "rejected", "unexpected"), summary=None)
    assert done.pending == Pending(None, (OpenedCall("r2", "vetting", 1),))


async def test_what_then_waits_is_left_open_where_the_append_does_not_know(store: Store) -> None:
    await open_programme(store, places=1)
    writer = await file_case(store)
    first = writer.of(EvidenceRequested(at=NOON))
    assert (await store.append(first)).pending == Pending(None, ())
    assert (await store.append(first)).pending is None  # appended before


async def test_a_case_that_an_append_notifies_itself_is_looked_at_again(store: Store) -> None:
    await open_programme(store, places=1, cap_period="month")
    holder, waiting = await file_case(store), await file_case(store)
    await holder.append(TAKEN, place=TakePlace(MONTH))
    await waiting.append(TAKEN, place=JoinWaitingList(NOON, MONTH))
    new_month = await waiting.append(EvidenceRequested(at=NOON), place=AllotPlaces("2022-11"))
    assert [notification.case_id for notification in new_month.notifications] == [waiting.stream]
    assert new_month.pending is None
    row = (await store.look(waiting.stream, "2022-11")).pending.row
    assert row is not None
    assert row.kind == "place.offered"


async def test_an_append_that_notifies_another_case_knows_its_own(store: Store) -> None:
    await open_programme(store, places=1)
    holder, waiting = await file_case(store), await file_case(store)
    await holder.append(TAKEN, place=TakePlace(MONTH))
    await waiting.append(TAKEN, place=JoinWaitingList(NOON, MONTH))
    freed = await holder.append(TAKEN, place=FreePlace(MONTH))
    assert [notification.case_id for notification in freed.notifications] == [waiting.stream]
    assert freed.pending == Pending(None, ())
