"""Places under the cap, in memory: the smallest model of decision 11 that a scenario can be played over."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from domain.kernel.ids import CaseId
from domain.kernel.programme import Programme


@dataclass
class Waiting:
    """A case on the waiting list; `reserved` is the month in which a place was reserved for it."""

    case: CaseId
    ready_at: datetime
    sequence: int
    reserved: str | None = None


@dataclass
class Places:
    """Who has a place since which month, and who waits. Reserved counts as taken."""

    taken: dict[CaseId, str] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    joined: int = 0

    def used(self, programme: Programme, month: str) -> int:
        """Places taken or reserved that count against the cap in `month`."""
        reserved = [each.reserved for each in self.waiting if each.reserved is not None]
        months = [*self.taken.values(), *reserved]
        return len(months) if programme.cap_period == "total" else months.count(month)

    def authorized(self, programme: Programme, month: str) -> int:
        """Places taken and not freed: of the current month under a monthly cap."""
        months = list(self.taken.values())
        return len(months) if programme.cap_period == "total" else months.count(month)

    def place_for(self, case: CaseId, programme: Programme, month: str) -> Literal["free", "none", "reserved"]:
        """What `case` finds: its reservation, a place that nobody waits for before it, or none."""
        mine = self._entry(case)
        if mine is not None and mine.reserved is not None and not self._stale(mine, programme, month):
            return "reserved"
        ahead = [
            each
            for each in self._in_order()
            if each.case != case and (each.reserved is None or self._stale(each, programme, month))
        ]
        if mine is not None:
            ahead = [each for each in ahead if (each.ready_at, each.sequence) < (mine.ready_at, mine.sequence)]
        return "free" if not ahead and self.used(programme, month) < programme.places else "none"

    def take(self, case: CaseId, programme: Programme, month: str) -> None:
        """`TravelAuthorized` takes a place; without one to take it is a fault of the caller."""
        if self.place_for(case, programme, month) == "none" or case in self.taken:
            raise AssertionError("authorized without a place")
        self._remove(case)
        self.taken[case] = month

    def join(self, case: CaseId, ready_at: datetime) -> None:
        """`Waitlisted`: first come by `ready_at`."""
        if self._entry(case) is not None:
            raise AssertionError("waits already")
        self.joined += 1
        self.waiting.append(Waiting(case, ready_at, self.joined))

    def leave(self, case: CaseId) -> None:
        """The case waits no longer, and gives up what was reserved for it. Harmless where it does not wait."""
        self._remove(case)

    def free(self, case: CaseId) -> None:
        """The case closed before parole: its place is free again. Harmless where it has none."""
        self.taken.pop(case, None)

    def allot(self, programme: Programme, month: str) -> list[CaseId]:
        """Reserve what is free for the heads of the waiting list; the cases to tell, in their order."""
        for each in self.waiting:
            if self._stale(each, programme, month):
                each.reserved = None
        for each in reversed(self._in_order()):
            if self.used(programme, month) > programme.places:
                each.reserved = None
        offered: list[CaseId] = []
        for each in self._in_order():
            if programme.terminated or self.used(programme, month) >= programme.places:
                break
            if each.reserved is None:
                each.reserved = month
                offered.append(each.case)
        return offered

    def _stale(self, entry: Waiting, programme: Programme, month: str) -> bool:
        return programme.cap_period == "month" and entry.reserved is not None and entry.reserved != month

    def _entry(self, case: CaseId) -> Waiting | None:
        return next((each for each in self.waiting if each.case == case), None)

    def _remove(self, case: CaseId) -> None:
        self.waiting = [each for each in self.waiting if each.case != case]

    def _in_order(self) -> list[Waiting]:
        return sorted(self.waiting, key=lambda each: (each.ready_at, each.sequence))
