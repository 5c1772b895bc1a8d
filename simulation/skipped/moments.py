"""The activities of a scenario: everything of one moment happens inside one of them (driver.py says why)."""

from datetime import datetime

from temporalio import activity

from simulation.play.agenda import Agenda
from simulation.play.player import Player
from simulation.skipped.clock import ScenarioClock
from simulation.skipped.driver import PLAN, PLAY, Plan
from simulation.skipped.settling import Settling


class Moments:
    """Plays one scenario's agenda, moment by moment."""

    def __init__(
        self, agenda: Agenda, clock: ScenarioClock, player: Player, settling: Settling, until: datetime
    ) -> None:
        self._agenda = agenda
        self._clock = clock
        self._player = player
        self._settling = settling
        self._until = until

    @activity.defn(name=PLAN)
    async def plan(self) -> Plan | None:
        """The next moment at which something happens; None when nothing is left before the end."""
        due, calls_outstanding = await self._settling.next_due(), await self._settling.calls_outstanding()
        # From here on without a pause: a call that is accepted meanwhile puts its answer on the agenda first.
        moments = [at for at in (self._agenda.next_at(), due) if at is not None]
        moment = max(min(moments), self._clock.moment) if moments else self._until
        if moment < self._until:
            self._clock.rest(moment)
            return self._planned(moment, last=False)
        self._clock.rest(None)
        return self._planned(self._until, last=True) if calls_outstanding else None

    @activity.defn(name=PLAY)
    async def play(self, at: str) -> Plan | None:
        """Everything of one moment: deadlines, filings, partners' answers, the timeline. Returns the next plan."""
        moment = datetime.fromisoformat(at)
        self._clock.play(moment)
        await self._settling.settle(moment)
        while (entry := self._agenda.take(moment)) is not None:
            await self._player.play(entry, moment)
            await self._settling.settle(moment)
        return await self.plan()

    def _planned(self, moment: datetime, *, last: bool) -> Plan:
        return Plan(moment.isoformat(), self._clock.server_time(moment).isoformat(), last)
