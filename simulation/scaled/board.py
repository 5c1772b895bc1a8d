"""Where every case stands, as the event store's heads tell it, and waiting until it stands otherwise."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Final

from eventstore.conflicts import StoreUnavailable
from eventstore.port import EventStore
from eventstore.summary import CaseSummary, SummaryFilter

LOOK_S: Final = 0.2
"""Two days at the usual speed; one read of the heads."""
LOOK_TIMEOUT_S: Final = 5.0
"""A connection may hang when its server is killed; the next look takes another."""

Changed = Callable[[CaseSummary], None]
"""Called with how a case stands now, whenever that changed."""


class Board:
    """The cases by id. Only `watch` changes how they stand."""

    def __init__(self, changed: Changed = lambda _: None) -> None:
        self._changed = changed
        self._stand: dict[str, CaseSummary] = {}
        self._followers: dict[str, Changed] = {}
        self._looks = 0
        self._looked = asyncio.Condition()
        self.first_authorized: float | None = None
        """The machine's monotonic moment at which the first case was seen authorized to travel."""

    def follow(self, case_id: str, changed: Changed) -> None:
        """Call `changed` with how the case stands, now and whenever that changes."""
        self._followers[case_id] = changed
        if case_id in self._stand:  # a look may be faster than the answer to who filed it
            changed(self._stand[case_id])
            self._changed(self._stand[case_id])

    def summary(self, case_id: str | None) -> CaseSummary | None:
        """How a case stands, once a worker has taken it."""
        return None if case_id is None else self._stand.get(case_id)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until it holds after some look."""
        async with self._looked:
            await self._looked.wait_for(holds)

    async def until_looked_again(self) -> None:
        """Wait until the board shows all that the log holds now: for a look that begins after this moment."""
        begun = self._looks
        await self.until(lambda: self._looks >= begun + 2)

    async def watch(self, store: EventStore) -> None:
        """Keep the board true, for ever. A database that is away is asked again: it is being restarted."""
        while True:
            with contextlib.suppress(StoreUnavailable, TimeoutError):
                async with asyncio.timeout(LOOK_TIMEOUT_S):
                    found = [summary async for summary in store.summaries(SummaryFilter())]
                await self._take(found)
            await asyncio.sleep(LOOK_S)

    async def _take(self, found: Iterable[CaseSummary]) -> None:
        changed = [summary for summary in found if self._stand.get(summary.case_id) != summary]
        async with self._looked:
            self._looks += 1
            for summary in changed:
                self._stand[summary.case_id] = summary
                if self.first_authorized is None and summary.facts.get("authorized_last_day") is not None:
                    self.first_authorized = time.monotonic()
                if (follower := self._followers.get(summary.case_id)) is not None:
                    follower(summary)
            self._looked.notify_all()
        for summary in changed:
            self._changed(summary)
