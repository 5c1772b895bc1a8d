"""How fast a sender may go, counted in Postgres, so that it holds however many gateways there are.

A gateway takes tokens some at a time: one at first, twice as many whenever they were used up within a second. So a busy
sender costs one small transaction for dozens of messages, and an idle one leaves no tokens lying about.
"""

import asyncio
import math
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from eventstore.postgres.session import translated
from gateway.http.problems import Problem

TAKEN_MAX: Final = 64
"""Tokens taken at once: so many may be wasted by each gateway in each second."""
KEPT_S: Final = 1.0
"""What was taken and not used by then is given up."""

_TAKE: Final = "SELECT granted, wait_s FROM passage.take_tokens($1, $2, $3, $4)"


async def unlimited(_: str) -> None:
    """Lets everybody pass: for simulations."""


@dataclass(slots=True)
class _Taken:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    left: int = 0
    size: int = 0
    until: float = 0.0
    refused_until: float = 0.0

    def spent(self, now: float) -> bool:
        return self.left == 0 or now >= self.until


class Limits:
    """`Admit` over the gateway's side connections. Senders are a closed set, so what is kept is bounded."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", rate_per_s: float, burst: float) -> None:
        self._pool = pool
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._taken = defaultdict[str, _Taken](_Taken)

    async def __call__(self, sender: str) -> None:
        """Return if `sender` may go on now.

        Raises:
            Problem: `too-many-messages`, with the seconds after which there is room.
            StoreUnavailable: the count cannot be reached.
        """
        taken = self._taken[sender]
        if taken.spent(time.monotonic()):
            async with taken.lock:
                now = time.monotonic()
                if now < taken.refused_until:
                    raise _too_many(taken.refused_until - now)
                if taken.spent(now):  # nobody took more while this one waited
                    await self._take_more(sender, taken, now)
        taken.left -= 1

    async def _take_more(self, sender: str, taken: _Taken, now: float) -> None:
        wanted = min(max(1, taken.size * 2), TAKEN_MAX) if now < taken.until else 1
        with translated():
            row = await self._pool.fetchrow(_TAKE, sender, self._rate_per_s, self._burst, wanted)
        granted, wait_s = (row["granted"], row["wait_s"]) if row is not None else (0, KEPT_S)
        taken.left, taken.size, taken.until = granted, wanted, now + KEPT_S
        if granted == 0:
            taken.refused_until = now + min(wait_s, KEPT_S)
            raise _too_many(wait_s)


def _too_many(wait_s: float) -> Problem:
    return Problem("too-many-messages", retry_after_s=max(1, math.ceil(wait_s)))
