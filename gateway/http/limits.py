"""The rate limit of each caller, counted in Postgres, so that all gateways share it; and paces that each counts itself.

A gateway takes tokens in portions: one at first, then twice as many each time a portion was used up within a second. A
busy sender so costs one small transaction for dozens of messages, and an idle one wastes none.
"""

import asyncio
import math
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from eventstore.operations import Guard
from gateway.http.problems import Problem

TAKEN_MAX: Final = 64
"""Tokens taken at once; each gateway wastes at most as many in a second."""
KEPT_S: Final = 1.0
"""Seconds after which unused tokens are given up."""
CALLERS_MAX: Final = 10_000
"""Callers and addresses that one process remembers; the one seen longest ago is forgotten first."""


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


class Pace:
    """So many times at once, and after that so many a second; in this process, and forgotten with it."""

    def __init__(self, burst: float, rate_per_s: float) -> None:
        self._burst = burst
        self._rate_per_s = rate_per_s
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Whose: what was left, and when."""

    def wait_s(self, whose: str, now_s: float) -> float:
        """0 if there is one left, else in how many seconds there is."""
        return max(0.0, (1 - self._left(whose, now_s)) / self._rate_per_s)

    def spend(self, whose: str, now_s: float) -> None:
        """One was used."""
        self._kept[whose] = max(0.0, self._left(whose, now_s) - 1), now_s
        self._kept.move_to_end(whose)
        if len(self._kept) > CALLERS_MAX:
            self._kept.popitem(last=False)

    def _left(self, whose: str, now_s: float) -> float:
        left, at_s = self._kept.get(whose, (self._burst, now_s))
        return min(self._burst, left + (now_s - at_s) * self._rate_per_s)


class Misses:
    """How often one caller may ask for what is not there: nobody finds cases by trying ids."""

    BURST: Final = 100
    RATE_PER_S: Final = 0.2
    """A mistyped id fails its check character and is no miss; a partner's answer that comes before it was asked is one,
    and such answers may come in a bunch. One of ten thousand open cases among 27 billion ids is found at this pace once
    in five months, and every try is on record."""

    def __init__(self) -> None:
        self._pace = Pace(self.BURST, self.RATE_PER_S)

    def require_left(self, caller: str) -> None:
        """Raises `Problem`: `too-many-messages`, whether or not what is asked for is there."""
        wait_s = self._pace.wait_s(caller, time.monotonic())
        if wait_s > 0:
            raise _too_many(wait_s)

    def note(self, caller: str) -> None:
        """The caller asked for something that is not there."""
        self._pace.spend(caller, time.monotonic())


class Limits:
    """`Admit` over a guard."""

    def __init__(self, guard: Guard, rate_per_s: float, burst: float) -> None:
        self._guard = guard
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._taken: OrderedDict[str, _Taken] = OrderedDict()

    async def __call__(self, sender: str) -> None:
        """Return if the caller `sender` may go on now.

        Raises:
            Problem: `too-many-messages`, with the seconds to wait.
            StoreUnavailable: the count cannot be reached.
        """
        taken = self._taken_by(sender)
        if taken.spent(time.monotonic()):
            async with taken.lock:
                now = time.monotonic()
                if now < taken.refused_until:
                    raise _too_many(taken.refused_until - now)
                if taken.spent(now):  # no other request took more meanwhile
                    await self._take_more(sender, taken, now)
        taken.left -= 1

    def _taken_by(self, sender: str) -> _Taken:
        taken = self._taken.setdefault(sender, _Taken())
        self._taken.move_to_end(sender)
        if len(self._taken) > CALLERS_MAX:
            self._taken.popitem(last=False)
        return taken

    async def _take_more(self, sender: str, taken: _Taken, now: float) -> None:
        wanted = min(max(1, taken.size * 2), TAKEN_MAX) if now < taken.until else 1
        granted, wait_s = await self._guard.take_tokens(sender, self._rate_per_s, self._burst, wanted)
        taken.left, taken.size, taken.until = granted, wanted, now + KEPT_S
        if granted == 0:
            taken.refused_until = now + min(wait_s, KEPT_S)
            raise _too_many(wait_s)


def _too_many(wait_s: float) -> Problem:
    return Problem("too-many-messages", retry_after_s=max(1, math.ceil(wait_s)))
