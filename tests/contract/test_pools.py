"""Pools that programmes share, and quantities: never above the cap, none lost, in their order."""

from collections.abc import Iterable

import pytest

from domain.humanitarian_parole.stages.travel import ALLOTMENT as AIR
from eventstore.conflicts import IllegalAppend, NoPlace, PlaceFree
from eventstore.places import FreePlace, JoinWaitingList, LeaveWaitingList, PassOver, Pool, ResumeTurn, TakePlace
from eventstore.port import Appended
from eventstore.postgres.store import PostgresStore
from eventstore.world import WorldQuery, WorldRead
from tests.support.filings import MONTH
from tests.support.pools import Stream, file_in, open_programmes, turn_of

CHNV = Pool("chnv", 2, "month")
SHARED = Pool("general", 10, "total")


def take(quantity: int = 1) -> TakePlace:
    return TakePlace(AIR, MONTH, quantity)


def join(turn: int, quantity: int = 1, *, whole: bool = True) -> JoinWaitingList:
    return JoinWaitingList(AIR, turn_of(turn), MONTH, quantity, whole)


def free(quantity: int = 1) -> FreePlace:
    return FreePlace(AIR, MONTH, quantity)


async def seen(case: Stream, quantity: int = 1, allotment: str | None = None) -> WorldRead:
    return await case.store.read_world(
        WorldQuery(
            programme=case.programme, case_id=case.name, month=MONTH, allotment=allotment, quantity=quantity
        )
    )  # fmt: skip


def offered(appended: Appended) -> list[str]:
    return [notification.case_id for notification in appended.notifications]


def names(cases: Iterable[Stream]) -> list[str]:
    return [case.name for case in cases]


async def test_four_programmes_share_one_cap(store: PostgresStore) -> None:
    await open_programmes(store, CHNV, "ven", "cub", "hti", "nic")
    cases = [await file_in(store, programme) for programme in ("ven", "cub", "hti", "nic")]
    await cases[0].change(take())
    await cases[1].change(take())
    for late, turn in ((cases[2], 2), (cases[3], 1)):
        assert (await seen(late)).place == "none"
        with pytest.raises(NoPlace):
            await late.change(take())
        await late.change(join(turn))
    freed = await cases[0].change(free())
    assert offered(freed) == [cases[3].name]  # the first that was ready, whichever programme
    row = await store.inbox.next_undecided(cases[3].name)
    assert row is not None
    assert row.programme == "nic"


async def test_a_suspended_programme_is_passed_over_and_keeps_its_turn(store: PostgresStore) -> None:
    ven, _ = await open_programmes(store, SHARED, "ven", "cub")
    holder, first, second = [await file_in(store, programme) for programme in ("cub", "ven", "cub")]
    await holder.change(take(10))
    await first.change(join(1))
    await second.change(join(2))
    await ven.set(SHARED, "suspended")
    assert offered(await holder.change(free())) == [second.name]
    await second.change(take())
    assert offered(await ven.set(SHARED, "open")) == []
    assert offered(await holder.change(free())) == [first.name]


async def test_what_was_reserved_for_a_suspended_programme_goes_to_the_next(store: PostgresStore) -> None:
    ven, _ = await open_programmes(store, SHARED, "ven", "cub")
    holder, first, second = [await file_in(store, programme) for programme in ("cub", "ven", "cub")]
    await holder.change(take(10))
    await first.change(join(1))
    await second.change(join(2))
    assert offered(await holder.change(free())) == [first.name]
    assert offered(await ven.set(SHARED, "suspended")) == [second.name]
    assert [(await seen(case)).place for case in (first, second)] == ["none", "reserved"]


async def test_a_suspended_programme_keeps_a_pool_of_its_own_as_it_is(store: PostgresStore) -> None:
    (ven,) = await open_programmes(store, SHARED, "ven")
    holder, first = [await file_in(store, "ven") for _ in range(2)]
    await holder.change(take(10))
    await first.change(join(1))
    await ven.set(SHARED, "suspended")
    assert offered(await holder.change(free())) == [first.name]


async def test_a_whole_petition_waits_and_smaller_ones_pass(store: PostgresStore) -> None:
    await open_programmes(store, SHARED, "h2b")
    holder, large, small = [await file_in(store, "h2b") for _ in range(3)]
    await holder.change(take(5))
    assert (await seen(large, 12)).places_left == 5
    await large.change(join(1, 12))
    assert (await seen(small, 3)).place == "free"
    await small.change(take(3))
    assert offered(await holder.change(free(5))) == []
    with pytest.raises(NoPlace):
        await large.change(take(12))


async def test_a_partial_petition_takes_what_is_left_and_waits_for_the_rest(store: PostgresStore) -> None:
    await open_programmes(store, SHARED, "h2b")
    holder, petition, behind = [await file_in(store, "h2b") for _ in range(3)]
    await holder.change(take(5))
    joined = await petition.change(join(1, 12, whole=False))
    assert joined.pending is None  # it was notified itself
    assert (await seen(petition, 5)).place == "reserved"
    await petition.change(take(5))
    await behind.change(join(2, 2))
    freed = await holder.change(free(5))
    assert offered(freed) == [petition.name]
    await petition.change(take(5))
    await petition.change(LeaveWaitingList(AIR, MONTH))
    assert offered(await petition.change(free(10))) == [behind.name]


async def test_a_case_passed_over_keeps_its_turn(store: PostgresStore) -> None:
    await open_programmes(store, SHARED, "ven")
    holder, first, second = [await file_in(store, "ven") for _ in range(3)]
    await holder.change(take(10))
    await first.change(join(1))
    await second.change(join(2))
    await holder.change(free())
    assert offered(await first.change(PassOver(AIR, MONTH))) == [second.name]
    assert offered(await first.change(ResumeTurn(AIR, MONTH))) == []
    assert offered(await holder.change(free())) == [first.name]


async def test_a_programme_moves_to_another_pool_with_what_it_holds(store: PostgresStore) -> None:
    ven, _ = await open_programmes(store, Pool("ven", 5, "total"), "ven", "other")
    cub = (await open_programmes(store, SHARED, "cub"))[0]
    held = [await file_in(store, "ven") for _ in range(2)]
    for case in held:
        await case.change(take())
    theirs, waiting = await file_in(store, "cub"), await file_in(store, "ven")
    await theirs.change(take(8))
    blocker = await file_in(store, "ven")
    await blocker.change(take(3))
    await waiting.change(join(1))
    await ven.set(SHARED)
    assert (await seen(await file_in(store, "cub"))).place == "none"  # 8 of its own, 5 that came, 10 in all
    assert offered(await theirs.change(free(3))) == []
    assert offered(await theirs.change(free(1))) == [waiting.name]
    assert cub.version == 1


async def test_a_rule_sets_number_does_not_replace_one_that_was_named(store: PostgresStore) -> None:
    ven, cub = await open_programmes(store, SHARED, "ven", "cub")
    await ven.set(Pool("general", 3, "total", named=True))
    await cub.set(SHARED)
    head = await store.programme("cub")
    assert head is not None
    assert head.pools == {AIR: Pool("general", 3, "total", named=True)}
    await cub.set(Pool("general", 4, "total", named=True))
    await ven.set(SHARED, "suspended", caps=())
    head = await store.programme("ven")
    assert head is not None
    assert head.pools[AIR].places == 4


async def test_an_allotment_that_a_programme_lacks_is_a_defect(store: PostgresStore) -> None:
    await open_programmes(store, SHARED, "ven")
    case = await file_in(store, "ven")
    with pytest.raises(IllegalAppend):
        await case.change(TakePlace("set-aside", MONTH))
    with pytest.raises(IllegalAppend):
        await case.change(free(2))
    with pytest.raises(PlaceFree):
        await case.change(join(1, 10))
