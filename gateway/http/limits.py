"""The rate limit of each sender, counted in Postgres, so that all gateways share it.

A gateway takes tokens in portions: one at first, then twice as many each time a portion was used up within a second. A
busy sender so costs one small transaction for dozens of messages, and an idle one wastes none.
"""

import asyncio
import math
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from eventstore.operations import Guard
from gateway.http.problems import Problem

TAKEN_MAX: Final = 64
"""Tokens taken at once; each gateway wastes at most as many in a second."""
KEPT_S: Final = 1.0
"""Seconds after which unused tokens are given up."""


async def unlimited(_: str) -> None:
    """Admits every sender: for simulations."""


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
    """`Admit` over a guard. Senders are a closed set, which bounds what is kept here."""

    def __init__(self, guard: Guard, rate_per_s: float, burst: float) -> None:
        self._guard = guard
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._taken = defaultdict[str, _Taken](_Taken)

    async def __call__(self, sender: str) -> None:
        """Return if `sender` may send a message now.

        Raises:
            Problem: `too-many-messages`, with the seconds to wait.
            StoreUnavailable: the count cannot be reached.
        """
        taken = self._taken[sender]
        if taken.spent(time.monotonic()):
            async with taken.lock:
                now = time.monotonic()
                if now < taken.refused_until:
                    raise _too_many(taken.refused_until - now)
                if taken.spent(now):  # no other request took more meanwhile
                    await self._take_more(sender, taken, now)
        taken.left -= 1

    async def _take_more(self, sender: str, taken: _Taken, now: float) -> None:
        wanted = min(max(1, taken.size * 2), TAKEN_MAX) if now < taken.until else 1
        granted, wait_s = await self._guard.take_tokens(sender, self._rate_per_s, self._burst, wanted)
        taken.left, taken.size, taken.until = granted, wanted, now + KEPT_S
        if granted == 0:
            taken.refused_until = now + min(wait_s, KEPT_S)
            raise _too_many(wait_s)


def _too_many(wait_s: float) -> Problem:
    return Problem("too-many-messages", retry_after_s=max(1, math.ceil(wait_s)))
