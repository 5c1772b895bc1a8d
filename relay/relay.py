"""The relay rings the bells of the inbox, until each has been heard (decision 4).

A row that was claimed and could not be rung is claimed again after 30 seconds, by this relay or another. Any number of
relays may run. What the governments say is decided here if the gateway that took it could not, cases that have lost
their workflow get a new one (`sweep.py`), boarding checks become events (`upkeep.py`), and the histories of runs that
have ended are kept (`historian.py`).
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, cast

import structlog

from activities.contracts import CaseMessageName
from activities.failures import log_failure
from activities.notify import InboxBell
from eventstore.inbox import Inbox, Unrung

_log = structlog.get_logger()

BATCH: Final = 100
"""Rows claimed at once: half a second of ringing, so that a relay that dies delays few."""
IDLE_S: Final = 0.05
"""A message waits for its bell half of this on average; an idle look costs one read of an empty index."""
BACKOFF_FIRST_S: Final = 0.1
BACKOFF_MAX_S: Final = 5.0
"""Each look during an outage claims a batch, which then waits out its 30 seconds: few looks, few that wait."""

Ring = Callable[[Iterable[InboxBell]], Awaitable[None]]
"""Signals, and starts where none runs, the workflows of these cases; raises when one could not be told."""

Govern = Callable[[str], Awaitable[object]]
"""Has a programme take its undecided messages (`cases.programme_commands`)."""


async def ring_once(inbox: Inbox, ring: Ring, govern: Govern, limit: int = BATCH) -> int:
    """Claim at most `limit` unrung rows and ring them; how many there were.

    Cases come first: what a programme's messages ring is claimed at the next look. Raises what `ring` or `govern`
    raises; the rows that were not heard are claimed again after 30 seconds.
    """
    rows = await inbox.claim_unrung(limit)
    bells = [bell for row in rows if (bell := _bell_of(row)) is not None]
    if bells:
        await ring(bells)
    for programme in dict.fromkeys(row.stream for row in rows if row.case_id is None):
        await govern(programme)
    return len(rows)


def _bell_of(row: Unrung) -> InboxBell | None:
    if row.case_id is None:
        return None
    return InboxBell(row.case_id, cast("CaseMessageName", row.kind), row.message_id, row.number)


@dataclass(slots=True)
class Relay:
    """The loop around `ring_once`."""

    inbox: Inbox
    ring: Ring
    govern: Govern
    limit: int = BATCH
    _looked: bool = field(default=False, init=False)
    _failures: int = field(default=0, init=False)

    @property
    def ready(self) -> bool:
        """It has looked, and what it rang last was heard."""
        return self._looked and self._failures == 0

    async def run(self, stopped: asyncio.Event) -> None:
        """Ring until `stopped`; the batch under way is rung to its end.

        Every failure is tried again: bells must be rung whatever happened to one of them. A failure of a kind that
        nobody foresaw is an alarm.
        """
        while not stopped.is_set():
            pause_s = await self._look()
            if pause_s > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopped.wait(), pause_s)

    async def _look(self) -> float:
        """One look, and the seconds to the next."""
        try:
            rung = await ring_once(self.inbox, self.ring, self.govern, self.limit)
        except Exception as error:  # noqa: BLE001  the boundary: whatever it is, the bells go on
            self._failures += 1
            log_failure("ringing failed", error, failures=self._failures, again_in_s=self._pause_s)
            return self._pause_s
        if rung > 0:
            self._failures = 0  # a look that found nothing does not show that Temporal is back
        self._looked = True
        return 0.0 if rung == self.limit else self._pause_s

    @property
    def _pause_s(self) -> float:
        if self._failures == 0:
            return IDLE_S
        return float(min(BACKOFF_FIRST_S * 2 ** min(self._failures - 1, 10), BACKOFF_MAX_S))
