"""Whatever comes in whatever order, the pool in Postgres does what the small model does, and never exceeds its cap."""

import asyncio
import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.humanitarian_parole.stages.travel import ALLOTMENT as AIR
from eventstore.conflicts import NoPlace, PlaceFree
from eventstore.keys import DirectoryKeyStore
from eventstore.places import FreePlace, JoinWaitingList, LeaveWaitingList, PassOver, Pool, ResumeTurn, TakePlace
from eventstore.port import Appended
from eventstore.postgres.store import PostgresStore
from stack.postgres.server import EmbeddedPostgres
from tests.support.filings import MONTH
from tests.support.pools import Model, Stream, Waits, file_in, turn_of
from tests.support.postgres import fresh_database

CASES, PROGRAMMES = 6, 3
_NUMBER = itertools.count(1)
_CASE = st.integers(0, CASES - 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), _CASE, st.integers(1, 4)),
        st.tuples(st.just("join"), _CASE, st.integers(1, 4), st.integers(0, 3), st.booleans()),
        st.tuples(st.sampled_from(["leave", "pass over", "resume", "free all"]), _CASE),
        st.tuples(st.just("free"), _CASE, st.integers(1, 2)),
        st.tuples(st.just("cap"), st.integers(0, 8)),
        st.tuples(st.just("suspend or resume"), st.integers(0, PROGRAMMES - 1)),
    ),
    min_size=12,
    max_size=30,
)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def opened(postgres_server: EmbeddedPostgres, loop: asyncio.Runner) -> Iterator[PostgresStore]:
    with tempfile.TemporaryDirectory() as folder, fresh_database(postgres_server) as url:
        store = loop.run(PostgresStore.connect(url, DirectoryKeyStore(Path(folder)), connections=2))
        yield store
        loop.run(store.close())


@dataclass
class Both:
    """The model and the real pool, moved together."""

    store: PostgresStore
    pool: Pool
    model: Model
    programmes: list[Stream]
    cases: list[Stream] = field(default_factory=list)

    @classmethod
    async def begin(cls, store: PostgresStore) -> "Both":
        number = next(_NUMBER)
        pool = Pool(f"pool-{number}", 4, "total", named=True)
        programmes = [Stream(store, f"p{number}-{each}", f"p{number}-{each}") for each in range(PROGRAMMES)]
        for each in programmes:
            await each.set(pool)
        cases = [await file_in(store, programmes[each % PROGRAMMES].name) for each in range(CASES)]
        return cls(store, pool, Model(pool.places), programmes, cases)

    async def step(self, name: str, which: int, *rest: Any) -> None:
        await getattr(self, f"_{name.replace(' ', '_')}")(which, *rest)
        await self.compare()

    async def compare(self) -> None:
        rows = await self.store._pool.fetch(
            "SELECT case_id, quantity, reserved, passed_over FROM passage.waiting_list WHERE pool = $1 "
            "ORDER BY turn_at, sequence",
            self.pool.pool,
        )
        mine = [(self.cases[e.case].name, e.quantity, e.reserved, e.passed_over) for e in self.model.waiting]
        assert [tuple(row) for row in rows] == mine
        taken = await self.store._pool.fetchval(
            "SELECT coalesce(sum(taken), 0) FROM passage.place_counter JOIN passage.programme_pool "
            "USING (programme, allotment) WHERE pool = $1 AND period = 'total'",
            self.pool.pool,
        )
        assert taken == sum(self.model.held.values()) + sum(e.reserved for e in self.model.waiting)
        for number, case in enumerate(self.cases):
            held = await self.store._pool.fetchval(
                "SELECT place_quantity FROM passage.case_head WHERE case_id = $1", case.name
            )
            assert held == self.model.held.get(number, 0)

    async def _take(self, case: int, quantity: int) -> None:
        entry = self.model.entry(case)
        if self.model.held.get(case) and entry is None:
            return  # it holds what it wanted
        if self.model.waiting:
            self.model.release()
        if self.model.take(case, quantity):
            await self.cases[case].change(TakePlace(AIR, MONTH, quantity))
            assert self.model.free >= 0 or quantity == 0
        else:
            with pytest.raises(NoPlace):
                await self.cases[case].change(TakePlace(AIR, MONTH, quantity))

    async def _join(self, case: int, quantity: int, turn: int, whole: bool) -> None:
        if self.model.entry(case) is not None:
            return
        place = JoinWaitingList(AIR, turn_of(turn), MONTH, quantity, whole)
        if self.model.join(Waits(case, case % PROGRAMMES, turn, quantity, whole)):
            self.told(await self.cases[case].change(place))
        else:
            with pytest.raises(PlaceFree):
                await self.cases[case].change(place)

    async def _leave(self, case: int) -> None:
        self.model.waiting = [each for each in self.model.waiting if each.case != case]
        self.told(await self.cases[case].change(LeaveWaitingList(AIR, MONTH)))

    async def _pass_over(self, case: int) -> None:
        entry = self.model.entry(case)
        if entry is not None:
            entry.passed_over, entry.reserved = True, 0
        self.told(await self.cases[case].change(PassOver(AIR, MONTH)))

    async def _resume(self, case: int) -> None:
        entry = self.model.entry(case)
        if entry is not None:
            entry.passed_over = False
        self.told(await self.cases[case].change(ResumeTurn(AIR, MONTH)))

    async def _free(self, case: int, quantity: int) -> None:
        if self.model.held.get(case, 0) < quantity:
            return
        self.model.held[case] -= quantity
        self.told(await self.cases[case].change(FreePlace(AIR, MONTH, quantity)))

    async def _free_all(self, case: int) -> None:
        if self.model.held.get(case, 0):
            await self._free(case, self.model.held[case])

    async def _cap(self, places: int) -> None:
        self.model.cap = places
        self.pool = Pool(self.pool.pool, places, "total", named=True)
        await self._set(0)

    async def _suspend_or_resume(self, programme: int) -> None:
        self.model.suspended ^= {programme}
        await self._set(programme)

    async def _set(self, programme: int) -> None:
        # The cap is looked at by whichever programme's append sets it, suspended or not: the pool is shared.
        suspended = programme in self.model.suspended
        self.told(await self.programmes[programme].set(self.pool, "suspended" if suspended else "open"))

    def told(self, appended: Appended) -> None:
        """Exactly those are notified that something was reserved for."""
        offered = {self.cases[case].name for case in self.model.settle()}
        assert {notification.case_id for notification in appended.notifications} == offered


@settings(
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_the_pool_is_its_model(opened: PostgresStore, loop: asyncio.Runner, steps: list[Any]) -> None:
    async def play() -> None:
        both = await Both.begin(opened)
        for step in steps:
            await both.step(*step)

    loop.run(play())
