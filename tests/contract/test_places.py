"""The cap (decision 11): never one place too many, and never one that nobody may take while somebody waits."""

import asyncio
from datetime import timedelta

import pytest

from domain.humanitarian_parole.stages.filing import ApplicationWithdrawn
from domain.humanitarian_parole.stages.travel import ALLOTMENT as AIR
from domain.humanitarian_parole.stages.travel import Waitlisted
from domain.kernel.events import CaseEvent
from domain.kernel.programme import PlacesChanged, ProgrammeTerminated, RulesAdopted
from eventstore.conflicts import Conflict, IllegalAppend, NoPlace, PlaceFree
from eventstore.places import AllotPlaces, FreePlace, JoinWaitingList, LeaveWaitingList, PoolPeriod, TakePlace
from eventstore.port import Appended, EventStore
from eventstore.world import WorldQuery
from tests.support.filings import (
    MONTH,
    NOON,
    PROGRAMME,
    RULES_DIGEST,
    Writer,
    file_case,
    open_programme,
    programme_summary,
)

NEXT_MONTH = "2022-11"
TAKEN = Waitlisted(at=NOON)
"""Any event will do: the store does not read them."""


async def take(writer: Writer, month: str = MONTH) -> Appended:
    return await writer.append(TAKEN, place=TakePlace(AIR, month))


async def wait(writer: Writer, minute: int, month: str = MONTH) -> Appended:
    return await writer.append(TAKEN, place=JoinWaitingList(AIR, NOON + timedelta(minutes=minute), month))


async def place_of(writer: Writer, month: str = MONTH) -> str:
    return (await writer.store.read_world(WorldQuery(programme=PROGRAMME, case_id=writer.stream, month=month))).place


async def offered(appended: Appended) -> list[str]:
    return [notification.case_id for notification in appended.notifications]


async def test_the_last_place_is_taken_once(store: EventStore) -> None:
    await open_programme(store, places=1)
    first, second = await file_case(store), await file_case(store)
    assert await place_of(first) == "free"
    await take(first)
    assert (await place_of(first), await place_of(second)) == ("reserved", "none")
    with pytest.raises(NoPlace):
        await take(second)
    assert (await store.load(second.stream)).version == 1


async def test_nobody_waits_while_a_place_is_free(store: EventStore) -> None:
    await open_programme(store, places=1)
    with pytest.raises(PlaceFree):
        await wait(await file_case(store), 0)


async def test_a_freed_place_goes_to_the_first_who_was_ready(store: EventStore) -> None:
    await open_programme(store, places=1)
    holder, late, early, other = [await file_case(store) for _ in range(4)]
    await take(holder)
    await wait(late, 2)
    await wait(early, 1)
    freed = await holder.append(ApplicationWithdrawn(at=NOON, by="applicant"), place=FreePlace(AIR, MONTH))
    assert await offered(freed) == [early.stream]
    assert [await place_of(each) for each in (early, late, other)] == ["reserved", "none", "none"]
    row = await store.inbox.next_undecided(early.stream)
    assert row is not None
    assert (row.kind, row.number, row.message_id) == (
        "place.offered",
        freed.notifications[0].number,
        freed.notifications[0].message_id,
    )
    with pytest.raises(NoPlace):
        await take(other)
    with pytest.raises(NoPlace):
        await take(late)
    await take(early)


async def test_a_reservation_that_is_given_up_passes_on(store: EventStore) -> None:
    await open_programme(store, places=1)
    holder, first, second = [await file_case(store) for _ in range(3)]
    await take(holder)
    await wait(first, 1)
    await wait(second, 2)
    await holder.append(TAKEN, place=FreePlace(AIR, MONTH))
    left = await first.append(TAKEN, place=LeaveWaitingList(AIR, MONTH))
    assert await offered(left) == [second.stream]
    await take(second)


async def test_leaving_without_a_reservation_frees_nothing(store: EventStore) -> None:
    await open_programme(store, places=1)
    holder, waiting, never = [await file_case(store) for _ in range(3)]
    await take(holder)
    await wait(waiting, 1)
    for writer in (waiting, never):
        left = await writer.append(TAKEN, place=LeaveWaitingList(AIR, MONTH))
        assert left.notifications == ()
    freed = await holder.append(TAKEN, place=FreePlace(AIR, MONTH))
    assert freed.notifications == ()
    await take(never)


async def test_places_are_misused_by_defects_only(store: EventStore) -> None:
    await open_programme(store, places=2)
    writer = await file_case(store)
    with pytest.raises(IllegalAppend):
        await writer.append(TAKEN, place=FreePlace(AIR, MONTH))
    await take(writer)
    with pytest.raises(IllegalAppend):
        await take(writer)
    assert (await store.load(writer.stream)).version == 2


async def test_more_places_are_allotted_in_order(store: EventStore) -> None:
    programme = await open_programme(store, places=0)
    waiting = [await file_case(store) for _ in range(3)]
    for minute, writer in enumerate(waiting):
        await wait(writer, minute)
    raised = await programme.append(
        PlacesChanged(at=NOON, places=2), summary=programme_summary(2), place=AllotPlaces(MONTH)
    )
    assert await offered(raised) == [waiting[0].stream, waiting[1].stream]


async def test_a_lowered_cap_takes_nothing_away_and_offers_nothing(store: EventStore) -> None:
    programme = await open_programme(store, places=2)
    holders = [await file_case(store) for _ in range(2)]
    for holder in holders:
        await take(holder)
    waiting = await file_case(store)
    await wait(waiting, 1)
    await programme.append(PlacesChanged(at=NOON, places=1), summary=programme_summary(1), place=AllotPlaces(MONTH))
    assert (await holders[0].append(TAKEN, place=FreePlace(AIR, MONTH))).notifications == ()
    assert await offered(await holders[1].append(TAKEN, place=FreePlace(AIR, MONTH))) == [waiting.stream]


async def test_a_terminated_programme_offers_nothing(store: EventStore) -> None:
    programme = await open_programme(store, places=1)
    holder, waiting = await file_case(store), await file_case(store)
    await take(holder)
    await wait(waiting, 1)
    await programme.append(
        ProgrammeTerminated(at=NOON, parole_ends_on=NOON.date()), summary=programme_summary(1, status="terminated")
    )
    assert (await holder.append(TAKEN, place=FreePlace(AIR, MONTH))).notifications == ()


async def test_each_month_has_its_own_places(store: EventStore) -> None:
    await open_programme(store, places=1, cap_period="month")
    first, second, third = [await file_case(store) for _ in range(3)]
    await take(first)
    await wait(second, 1)
    assert await place_of(second, NEXT_MONTH) == "free"
    assert await place_of(third, NEXT_MONTH) == "none"
    begun = await second.append(place=AllotPlaces(NEXT_MONTH, AIR))
    assert await offered(begun) == [second.stream]
    await take(second, NEXT_MONTH)
    with pytest.raises(NoPlace):
        await take(third, NEXT_MONTH)


async def test_a_place_freed_after_its_month_is_lost(store: EventStore) -> None:
    await open_programme(store, places=1, cap_period="month")
    first, second, third = [await file_case(store) for _ in range(3)]
    await take(first)
    await take(second, NEXT_MONTH)
    await wait(third, 1, NEXT_MONTH)
    assert (await first.append(TAKEN, place=FreePlace(AIR, NEXT_MONTH))).notifications == ()
    assert await place_of(third, NEXT_MONTH) == "none"
    assert await offered(await second.append(TAKEN, place=FreePlace(AIR, NEXT_MONTH))) == [third.stream]


async def test_a_reservation_ends_with_its_month_and_its_case_keeps_its_turn(store: EventStore) -> None:
    await open_programme(store, places=1, cap_period="month")
    holder, first, second = [await file_case(store) for _ in range(3)]
    await take(holder)
    await wait(first, 1)
    await wait(second, 2)
    await holder.append(TAKEN, place=FreePlace(AIR, MONTH))
    assert [await place_of(each, NEXT_MONTH) for each in (first, second)] == ["free", "none"]
    assert await offered(await second.append(place=AllotPlaces(NEXT_MONTH, AIR))) == [first.stream]
    with pytest.raises(NoPlace):
        await take(second, NEXT_MONTH)
    await take(first, NEXT_MONTH)


async def test_a_reservation_in_the_total_outlives_its_month(store: EventStore) -> None:
    await open_programme(store, places=1)
    holder, waiting = await file_case(store), await file_case(store)
    await take(holder)
    await wait(waiting, 1)
    await holder.append(TAKEN, place=FreePlace(AIR, MONTH))
    assert await place_of(waiting, NEXT_MONTH) == "reserved"
    await take(waiting, NEXT_MONTH)


async def test_a_change_of_regime_counts_what_the_month_already_took(store: EventStore) -> None:
    programme = await open_programme(store, places=2)
    first, second, third = [await file_case(store) for _ in range(3)]
    await take(first)
    await take(second, NEXT_MONTH)
    adopted = RulesAdopted(
        at=NOON,
        rules_version="2023-01-06",
        rules_digest=RULES_DIGEST,
        rules="{}",
    )
    await wait(third, 1, NEXT_MONTH)
    head = programme_summary(2, cap_period="month", rules_version="2023-01-06")
    changed = await programme.append(adopted, summary=head, place=AllotPlaces(NEXT_MONTH))
    assert await offered(changed) == [third.stream]
    with pytest.raises(NoPlace):
        await take(await file_case(store), NEXT_MONTH)


async def set_cap(programme: Writer, places: int, month: str = MONTH, cap_period: PoolPeriod = "total") -> Appended:
    changed = PlacesChanged(at=NOON, places=places)
    head = programme_summary(places, cap_period=cap_period)
    return await programme.append(changed, summary=head, place=AllotPlaces(month))


@pytest.mark.parametrize("cap_period", ["total", "month"])
async def test_a_lowered_cap_takes_reservations_back_the_last_in_turn_first(
    store: EventStore, cap_period: PoolPeriod
) -> None:
    programme = await open_programme(store, places=0, cap_period=cap_period)
    cases = [await file_case(store) for _ in range(3)]
    for minute, each in enumerate(cases):
        await wait(each, minute)
    assert len(await offered(await set_cap(programme, 3, cap_period=cap_period))) == 3

    await set_cap(programme, 1, cap_period=cap_period)
    assert [await place_of(each) for each in cases] == ["reserved", "none", "none"]
    with pytest.raises(NoPlace):
        await take(cases[1])
    await take(cases[0])
    raised = await set_cap(programme, 2, cap_period=cap_period)
    assert await offered(raised) == [cases[1].stream]  # it kept its turn


async def test_a_lowered_cap_takes_no_place_back_from_a_case_that_holds_it(store: EventStore) -> None:
    programme = await open_programme(store, places=2)
    first, second, third = [await file_case(store) for _ in range(3)]
    await take(first)
    await take(second)
    await wait(third, 1)
    await set_cap(programme, 1)
    await first.append(TAKEN, place=FreePlace(AIR, MONTH))
    assert await place_of(third) == "none"
    assert await offered(await second.append(TAKEN, place=FreePlace(AIR, MONTH))) == [third.stream]


async def _claim(writer: Writer) -> bool:
    """Take a place, or wait for one; decided again on each conflict, as the activity does."""
    for _ in range(5):
        wanted: tuple[CaseEvent, TakePlace | JoinWaitingList]
        wanted = (TAKEN, TakePlace(AIR, MONTH))
        if await place_of(writer) == "none":
            wanted = (TAKEN, JoinWaitingList(AIR, NOON, MONTH))
        try:
            await writer.append(wanted[0], place=wanted[1])
        except Conflict:
            continue
        return isinstance(wanted[1], TakePlace)
    raise AssertionError("no decision after five conflicts")


async def test_sixty_cases_at_once_take_exactly_the_24_places(store: EventStore) -> None:
    await open_programme(store, places=24)
    writers = await asyncio.gather(*(file_case(store) for _ in range(60)))
    got = await asyncio.gather(*(_claim(writer) for writer in writers))
    assert sum(got) == 24
    assert await _taken(writers) == (24, 36)


async def test_freed_places_pass_on_while_others_claim(store: EventStore) -> None:
    await open_programme(store, places=10)
    writers = await asyncio.gather(*(file_case(store) for _ in range(30)))
    got = await asyncio.gather(*(_claim(writer) for writer in writers))
    holders = [writer for writer, took in zip(writers, got, strict=True) if took]
    late = await asyncio.gather(*(file_case(store) for _ in range(10)))
    freed = asyncio.gather(*(holder.append(TAKEN, place=FreePlace(AIR, MONTH)) for holder in holders[:6]))
    assert not any(await asyncio.gather(*(_claim(writer) for writer in late)))
    offers = [case_id for each in await freed for case_id in await offered(each)]
    assert len(offers) == len(set(offers)) == 6
    by_id = {writer.stream: writer for writer in writers}
    await asyncio.gather(*(take(by_id[case_id]) for case_id in offers))
    assert await _taken([*writers, *late]) == (10, 30)


async def _taken(writers: list[Writer]) -> tuple[int, int]:
    """How many hold a place or a reservation, and how many find none."""
    found = [await place_of(writer) for writer in writers]
    return found.count("reserved"), found.count("none")
