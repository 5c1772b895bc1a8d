"""Circuits that live in memory, for tests of what stands above them; held to the same suite as those in Postgres."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from domain.kernel.ids import Code
from eventstore.format.envelope import machine_clock
from eventstore.partner_calls import Admitted, CircuitTerms, Paused


@dataclass(slots=True)
class _Failing:
    since: datetime
    failures: int = 0
    pauses: int = 0
    until: datetime | None = None


class MemoryCircuits:
    """`Circuits` of one process."""

    def __init__(self, terms: CircuitTerms, now: Callable[[], datetime] = machine_clock) -> None:
        self._terms = terms
        self._now = now
        self._failing: dict[Code, _Failing] = {}

    async def pause(self, partner: Code) -> Paused | None:  # the port says it
        failing = self._failing.get(partner)
        if failing is None or failing.until is None:
            return None
        return Paused(failing.since, failing.until, max((failing.until - self._now()).total_seconds(), 0.0))

    async def admit(self, partner: Code) -> Admitted | Paused:  # the port says it
        pause = await self.pause(partner)
        if pause is None:
            return Admitted()
        if pause.wait_s > 0:
            return pause
        self._failing[partner].until = self._now() + self._terms.turn
        return Admitted(probe=True)

    async def note_failed(self, partner: Code, *, probe: bool) -> Paused | None:  # the port says it
        failing = self._failing.setdefault(partner, _Failing(self._now()))
        failing.failures += 1
        began = failing.until is None and failing.failures >= self._terms.failures_max
        if began or (probe and failing.until is not None):
            length = self._terms.pause_first * 2 ** min(failing.pauses, 20)
            failing.until = self._now() + min(length, self._terms.pause_max)
            failing.pauses += 1
        return await self.pause(partner) if began else None

    async def note_taken(self, partner: Code) -> bool:  # the port says it
        failing = self._failing.pop(partner, None)
        return failing is not None and failing.until is not None
