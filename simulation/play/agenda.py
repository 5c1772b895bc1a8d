"""What a scenario still has to play, in order: at one instant filings, partners' answers, the timeline."""

import heapq
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from itertools import count

from simulation.format.applications import ScenarioApplication
from simulation.format.programmes import programme_of
from simulation.format.scenario import Scenario, TimelineItem
from simulators.messages import PartnerMessage
from simulators.scripts import PARTNERS


@dataclass(frozen=True, slots=True)
class Filing:
    """Application number `index` is filed; its case goes by `name`."""

    index: int
    name: str
    programme: str
    application: ScenarioApplication


@dataclass(frozen=True, slots=True)
class PartnerAnswers:
    """A partner sends the answer to a call that it accepted."""

    answer: PartnerMessage


@dataclass(frozen=True, slots=True)
class TimelineMessage:
    """The timeline's item number `index`; `programme` is the one that it speaks to, if it speaks to one."""

    index: int
    item: TimelineItem
    sender: str
    programme: str | None = None
    taken_back: int | None = None
    """The place on the timeline of the message that it takes back."""


Entry = Filing | PartnerAnswers | TimelineMessage


def first_moment(scenario: Scenario) -> datetime:
    """When the first thing of a scenario happens."""
    filed = (application.filed_at for application in scenario.applications.values())
    return min(scenario.until, *filed, *(item.at for item in scenario.timeline))


class _Phase(IntEnum):
    FILING = 0
    ANSWER = 1
    TIMELINE = 2


@dataclass(frozen=True, slots=True, order=True)
class _Slot:
    """Entries are played in the order of these: by moment, then kind, then place in the file."""

    at: datetime
    phase: _Phase
    place: tuple[int, ...]
    entry: Entry = field(compare=False)


class Agenda:
    """The entries of one scenario before its `until`. Deadlines are not here: they are the cases' own."""

    def __init__(self, scenario: Scenario) -> None:
        self._until = scenario.until
        self._cases = {name: index for index, name in enumerate(scenario.applications)}
        self._answers = count()
        self._slots: list[_Slot] = []
        for index, (name, application) in enumerate(scenario.applications.items()):
            programme = programme_of(scenario, application) or ""  # every application of a loaded scenario has one
            filing = Filing(index, name, programme, application)
            self._add(_Slot(application.filed_at, _Phase.FILING, (index,), filing))
        for index, item in enumerate(scenario.timeline):
            programme_spoken_to = programme_of(scenario, item) if item.to_programme else None
            message = TimelineMessage(
                index, item, scenario.sender_of(item), programme_spoken_to, scenario.taken_back(item)
            )
            self._add(_Slot(item.at, _Phase.TIMELINE, (index,), message))

    def schedule(self, at: datetime, case: str | None, answer: PartnerMessage) -> None:
        """A partner will answer the case of that name at `at`; None where it mistakes the case for one of nobody's."""
        place = (
            len(self._cases) if case is None else self._cases[case],
            PARTNERS.index(answer.partner),
            next(self._answers),
        )
        self._add(_Slot(at, _Phase.ANSWER, place, PartnerAnswers(answer)))

    def next_at(self) -> datetime | None:
        """The moment of the next entry."""
        return self._slots[0].at if self._slots else None

    def take(self, moment: datetime) -> Entry | None:
        """The next entry at or before `moment`, which is then played."""
        if not self._slots or self._slots[0].at > moment:
            return None
        return heapq.heappop(self._slots).entry

    def _add(self, slot: _Slot) -> None:
        if slot.at < self._until:
            heapq.heappush(self._slots, slot)
