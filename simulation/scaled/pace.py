"""When the entries of a scenario are played on a clock that cannot be stopped.

Passage takes time of its own, which is days on such a clock and which no scenario knows of. So a scenario runs late by
as much as its cases were kept waiting beyond what their partners' scripts say, and nothing of it is played while one of
its cases waits for an answer that is on its way. A message to a case also waits until the case has its place, and until
the programme goes on.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from cases.clock import Clock
from domain import registry
from domain.kernel.ids import Code
from eventstore.summary import CaseSummary
from simulation.format.scenario import Scenario
from simulation.play.agenda import Entry, TimelineMessage
from simulation.play.names import CaseNames
from simulation.scaled.board import Board
from simulators.scripts import PartnerScript

_PARTNER_WAITED_ON: Final = {
    partner.waiting_on: name for family in registry.families() for name, partner in family.partners.items()
}
_NOT_ITS_TURN: Final[tuple[Code, ...]] = ("place", "programme")


class Pace:
    """The pace of one scenario; `note` is to be called with each change of its cases."""

    def __init__(self, scenario: Scenario, names: CaseNames, board: Board, clock: Clock) -> None:
        self._scenario = scenario
        self._names = names
        self._board = board
        self._clock = clock
        self._seen: dict[str, CaseSummary] = {}
        self._lags: dict[str | None, timedelta] = {None: timedelta(0)}
        """How late each case is; under None what is no case's."""

    async def until(self, entry: Entry, at: datetime) -> datetime:
        """Wait until the entry's turn has come; returns the moment, by which messages of this moment are dated."""
        while True:
            await self._board.until(lambda: self._is_ready(entry))
            remaining = self._clock.server_time(at + max(self._lags.values())) - datetime.now(UTC)
            if remaining <= timedelta(0):
                break
            await asyncio.sleep(remaining.total_seconds())
        now = self._clock.now(datetime.now(UTC))
        self._lags[None] = max(self._lags[None], now - at)
        return now

    def note(self, name: str, summary: CaseSummary) -> None:
        """The case of that name stands otherwise: add what it was kept waiting."""
        before, self._seen[name] = self._seen.get(name), summary
        if before is None:
            self._lags[name] = summary.since - self._scenario.applications[name].filed_at
        elif (script := self._script_waited_on(name, before)) is not None and summary.since > before.since:
            waited = summary.since - before.since
            self._lags[name] += max(waited - script.after, timedelta(0))

    def _is_ready(self, entry: Entry) -> bool:
        if any(self._is_being_answered(name) for name in self._scenario.applications):
            return False
        if not isinstance(entry, TimelineMessage) or entry.item.case is None:
            return True
        summary = self._summary(entry.item.case)
        return summary is None or summary.waiting_on not in _NOT_ITS_TURN

    def _is_being_answered(self, name: str) -> bool:
        summary = self._summary(name)
        if summary is None:
            return self._names.filed(name) is not None
        return self._script_waited_on(name, summary) is not None

    def _script_waited_on(self, name: str, summary: CaseSummary) -> PartnerScript | None:
        """The script of the partner that the case waits on and that will answer."""
        partner = None if summary.waiting_on is None else _PARTNER_WAITED_ON.get(summary.waiting_on)
        script = None if partner is None else self._scenario.applications[name].partners.of(partner)
        return None if script is None or script.says is None else script

    def _summary(self, name: str) -> CaseSummary | None:
        return self._board.summary(self._names.filed(name))
