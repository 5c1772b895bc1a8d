"""The activities of a scenario: everything of one moment happens inside one of them (driver.py says why)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from temporalio import activity

from simulation.format.scenario import Answer, TimelineItem
from simulation.play.agenda import Agenda, Entry, Filing, PartnerAnswers, TimelineMessage
from simulation.skipped.clock import ScenarioClock
from simulation.skipped.driver import PLAN, PLAY, Plan
from simulation.skipped.settling import Settling
from simulators.messages import PartnerMessage


@dataclass(frozen=True, slots=True)
class TimelineAnswer:
    """What one delivery of timeline item `index` was answered."""

    index: int
    item: TimelineItem
    answer: Answer


class Entrances(Protocol):
    """The ways into Passage, as applicants, partners, carriers and governments use them."""

    async def file(self, filing: Filing) -> None:
        """File the application; its case is known by its name from then on."""
        ...

    async def answer(self, answer: PartnerMessage) -> None:
        """Deliver a partner's answer."""
        ...

    async def deliver(self, index: int, item: TimelineItem) -> None:
        """Deliver a timeline message once; the same `index` is the same message."""
        ...

    async def answer_of(self, index: int, item: TimelineItem) -> Answer:
        """What the message of that index was answered, once everything has settled."""
        ...

    async def ask(self, item: TimelineItem) -> Answer:
        """Ask whether the beneficiary may board."""
        ...


class Player:
    """Plays one scenario's agenda through the entrances."""

    def __init__(
        self, agenda: Agenda, clock: ScenarioClock, entrances: Entrances, settling: Settling, until: datetime
    ) -> None:
        self._agenda = agenda
        self._clock = clock
        self._entrances = entrances
        self._settling = settling
        self._until = until
        self.answers: list[TimelineAnswer] = []

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
            await self._play(entry, moment)
            await self._settling.settle(moment)
        return await self.plan()

    def _planned(self, moment: datetime, *, last: bool) -> Plan:
        return Plan(moment.isoformat(), self._clock.server_time(moment).isoformat(), last)

    async def _play(self, entry: Entry, moment: datetime) -> None:
        match entry:
            case Filing():
                await self._entrances.file(entry)
            case PartnerAnswers():
                await self._entrances.answer(entry.answer)
            case TimelineMessage():
                await self._play_timeline(entry, moment)

    async def _play_timeline(self, entry: TimelineMessage, moment: datetime) -> None:
        for _ in range(entry.item.deliver):
            if entry.item.is_question:
                answer = await self._entrances.ask(entry.item)
            else:
                await self._entrances.deliver(entry.index, entry.item)
                await self._settling.settle(moment)
                answer = await self._entrances.answer_of(entry.index, entry.item)
            self.answers.append(TimelineAnswer(entry.index, entry.item, answer))
