"""What happens with one entry of a scenario's agenda, on whichever clock it is played."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulation.format.scenario import Answer, TimelineItem
from simulation.play.agenda import Entry, Filing, PartnerAnswers, TimelineMessage
from simulation.play.entrances import Entrances


@dataclass(frozen=True, slots=True)
class TimelineAnswer:
    """What one delivery of timeline item `index` was answered."""

    index: int
    item: TimelineItem
    answer: Answer
    code: str | None = None


class Player:
    """Plays entries through the entrances; `settle` returns once everything sent up to a moment is decided."""

    def __init__(self, entrances: Entrances, settle: Callable[[datetime], Awaitable[None]]) -> None:
        self._entrances = entrances
        self._settle = settle
        self.answers: list[TimelineAnswer] = []

    async def play(self, entry: Entry, moment: datetime) -> None:
        """Play one entry at its moment."""
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
                reply = await self._entrances.ask(entry.item)
            else:
                await self._entrances.deliver(entry)
                await self._settle(moment)
                reply = await self._entrances.reply_to(entry)
            answer: Any = reply.answer  # the gateway's own words
            self.answers.append(TimelineAnswer(entry.index, entry.item, answer, reply.code))
