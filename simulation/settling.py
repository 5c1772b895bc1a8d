"""When a moment is over: nothing that was received waits, nothing that is due is unmet, every call was tried."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import asyncpg

SETTLE_TIMEOUT_S: Final = 30.0
"""One entry of a scenario takes some 50 ms; a machine that needs 600 times that, or a case that hangs, is told."""
POLL_FIRST_S: Final = 0.002
POLL_MAX_S: Final = 0.05

_OPEN_CALL = "accepted_at IS NULL AND dropped_at IS NULL"

_UNSETTLED = f"""
SELECT (SELECT count(*) FROM passage.bell) AS undecided,
       (SELECT count(*) FROM passage.case_head WHERE NOT closed AND due_at <= $1) AS overdue,
       (SELECT count(*) FROM passage.outbound_call WHERE {_OPEN_CALL} AND attempts = 0) AS untried
"""  # noqa: S608  the constant above
_NOTIFIED = "SELECT EXISTS (SELECT FROM passage.bell WHERE rung_at IS NOT NULL)"
_NEXT_DUE = "SELECT min(due_at) FROM passage.case_head WHERE NOT closed"
_CALLS = f"SELECT EXISTS (SELECT FROM passage.outbound_call WHERE {_OPEN_CALL})"  # noqa: S608  the constant above


class Unsettled(Exception):
    """The cases did not come to rest in time; the message says what still waited, in numbers."""


class Settling:
    """Watches one scenario's database, which nobody else writes to.

    Args:
        database: where the scenario's events are.
        notify: sends the oldest notification that nobody has sent yet.
    """

    def __init__(
        self,
        database: "asyncpg.Pool[asyncpg.Record]",
        notify: Callable[[], Awaitable[None]],
        timeout_s: float = SETTLE_TIMEOUT_S,
    ) -> None:
        self._database = database
        self._notify = notify
        self._timeout_s = timeout_s

    async def settle(self, moment: datetime) -> None:
        """Wait until everything received is decided, and every deadline up to `moment` met.

        Cases are notified one after another, each when the one before is answered: cases that compete for a place then
        come in the order in which they were told, not in that of two cores.

        Raises:
            Unsettled: not within the timeout.
        """
        ends_at, pause_s = time.monotonic() + self._timeout_s, POLL_FIRST_S
        while True:
            if not await self._database.fetchval(_NOTIFIED):
                await self._notify()
            waiting = await self._database.fetchrow(_UNSETTLED, moment)
            if waiting is None or not any(waiting):
                return
            if time.monotonic() > ends_at:
                left = ", ".join(f"{name} {number}" for name, number in waiting.items())
                raise Unsettled(f"at {moment.isoformat()} the cases did not settle: {left}")
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, POLL_MAX_S)

    async def next_due(self) -> datetime | None:
        """The earliest deadline of all open cases."""
        due: datetime | None = await self._database.fetchval(_NEXT_DUE)
        return due

    async def calls_outstanding(self) -> bool:
        """Whether a partner has not accepted a call yet."""
        outstanding: bool = await self._database.fetchval(_CALLS)
        return outstanding
