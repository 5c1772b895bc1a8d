"""Where every story stands, as the event store's heads tell it, and waiting until it stands otherwise."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from demonstration.story import Gate, Standing
from eventstore.conflicts import StoreUnavailable
from eventstore.port import EventStore
from eventstore.summary import CaseSummary, SummaryFilter

LOOK_S: Final = 0.2
"""Two days at the usual speed; one read of the heads."""
LOOK_TIMEOUT_S: Final = 5.0
"""A connection may hang when its server is killed; the next look takes another."""

Told = Callable[[str, CaseSummary], None]
"""Called with a story and how it stands now, whenever that changed."""


class Board:
    """The stories by name. Only `watch` changes how they stand."""

    def __init__(self, told: Told = lambda _name, _summary: None) -> None:
        self._told = told
        self._cases: dict[str, str] = {}
        self._stand: dict[str, CaseSummary] = {}
        self._done: set[str] = set()
        self._looks = 0
        self._moved = asyncio.Condition()
        self.first_authorized: float | None = None
        """The machine's monotonic moment at which the first case was seen authorized to travel."""

    def case_of(self, name: str) -> str | None:
        """The case of a story, once it is filed."""
        return self._cases.get(name)

    def summary(self, name: str) -> CaseSummary | None:
        """How a story's case stands, once a worker has taken it."""
        return self._stand.get(name)

    def standing(self, name: str) -> Standing:
        """How a story or an act stands, in a word."""
        if name in self._done:
            return "done"
        summary = self._stand.get(name)
        if summary is None:
            return "under way" if name in self._cases else "not begun"
        return "closed" if summary.closed else summary.waiting_on or "under way"

    async def filed(self, name: str, case_id: str) -> None:
        """A story has its case."""
        async with self._moved:
            self._cases[name] = case_id
            self._moved.notify_all()

    async def act_done(self, name: str) -> None:
        """An act of the governments is done."""
        async with self._moved:
            self._done.add(name)
            self._moved.notify_all()

    async def until_open(self, gates: Iterable[Gate]) -> None:
        """Wait until every gate is open at the same moment."""
        wanted = tuple(gates)
        async with self._moved:
            await self._moved.wait_for(lambda: all(self._is_open(each) for each in wanted))

    async def until_stands(self, name: str, standing: Standing) -> CaseSummary | None:
        """Wait until a story stands so; None if its case closed instead."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.standing(name) in (standing, "closed"))
            return self._stand[name] if self.standing(name) == standing else None

    async def until_looked_again(self) -> None:
        """Wait until the board shows all that the log holds now: for a look that begins after this moment."""
        async with self._moved:
            begun = self._looks
            await self._moved.wait_for(lambda: self._looks >= begun + 2)

    async def until_all_closed(self, names: Sequence[str]) -> None:
        """Wait until the case of every story is closed."""
        await self.until_open((Gate(tuple(names), frozenset({"closed"})),))

    def _is_open(self, gate: Gate) -> bool:
        return all(self.standing(name) in gate.standing for name in gate.names)

    async def watch(self, store: EventStore) -> None:
        """Keep the board true, for ever. A database that is away is asked again: it is being restarted."""
        while True:
            with contextlib.suppress(StoreUnavailable, TimeoutError):
                async with asyncio.timeout(LOOK_TIMEOUT_S):
                    found = [summary async for summary in store.summaries(SummaryFilter())]
                await self._take(found)
            await asyncio.sleep(LOOK_S)

    async def _take(self, found: Iterable[CaseSummary]) -> None:
        names = {case_id: name for name, case_id in self._cases.items()}
        changed = [
            (name, summary)
            for summary in found
            if (name := names.get(summary.case_id)) is not None and self._stand.get(name) != summary
        ]
        async with self._moved:
            self._looks += 1
            for name, summary in changed:
                self._stand[name] = summary
                if self.first_authorized is None and summary.authorized_last_day is not None:
                    self.first_authorized = time.monotonic()
            self._moved.notify_all()
        for name, summary in changed:
            self._told(name, summary)
