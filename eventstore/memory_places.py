"""Places of one programme in memory: the rules of `sql/migrations/0003_places.sql` and 0018, word for word."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from eventstore.conflicts import IllegalAppend, NoPlace, PlaceFree
from eventstore.places import AllotPlaces, FreePlace, JoinWaitingList, LeaveWaitingList, PlaceChange, TakePlace
from eventstore.summary import ProgrammeSummary

Found = Literal["free", "none", "reserved"]


@dataclass(slots=True)
class _Waiting:
    ready_at: datetime
    sequence: int
    reserved_month: str | None = None

    @property
    def turn(self) -> tuple[datetime, int]:
        return self.ready_at, self.sequence


class Places:
    """Counts, reservations and the waiting list of one programme."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()
        self._waiting: dict[str, _Waiting] = {}
        self._held: dict[str, str] = {}
        self._sequence = 0

    def holds(self, case_id: str) -> bool:
        """Whether the case has taken a place and not freed it."""
        return case_id in self._held

    def change(self, head: ProgrammeSummary, case_id: str, change: PlaceChange) -> tuple[str, ...]:
        """Make the change, or none; the cases that a place was reserved for, in their order.

        Raises:
            NoPlace, PlaceFree, IllegalAppend: as the port says.
        """
        self._check(head, case_id, change)
        self._release_stale(head, change.month)
        match change:
            case TakePlace(month):
                self._take(case_id, month)
                return ()
            case JoinWaitingList(ready_at, _):
                self._sequence += 1
                self._waiting[case_id] = _Waiting(ready_at, self._sequence)
            case LeaveWaitingList():
                left = self._waiting.pop(case_id, None)
                if left is not None and left.reserved_month is not None:
                    self._count(left.reserved_month, -1)
            case FreePlace():
                self._count(self._held.pop(case_id), -1)
            case AllotPlaces():
                pass
        return self._allot(head, change.month)

    def place_for(self, head: ProgrammeSummary, case_id: str, month: str) -> Found:
        """What the case finds: `reserved`, `free` or `none`; a place it holds already is not asked about."""
        own = self._waiting.get(case_id)
        if own is not None and own.reserved_month is not None and not self._stale(head, own, month):
            return "reserved"
        ahead = [
            other
            for other_id, other in self._waiting.items()
            if other_id != case_id
            and (other.reserved_month is None or self._stale(head, other, month))
            and (own is None or other.turn < own.turn)
        ]
        return "free" if self._free(head, month) > 0 and not ahead else "none"

    def _check(self, head: ProgrammeSummary, case_id: str, change: PlaceChange) -> None:
        match change:
            case TakePlace(month):
                if case_id in self._held:
                    raise IllegalAppend("the case holds a place already")
                if self.place_for(head, case_id, month) == "none":
                    raise NoPlace
            case JoinWaitingList(_, month):
                if self.place_for(head, case_id, month) != "none":
                    raise PlaceFree
                if case_id in self._waiting:
                    raise IllegalAppend("the case waits already")
            case FreePlace():
                if case_id not in self._held:
                    raise IllegalAppend("the case holds no place")
            case LeaveWaitingList() | AllotPlaces():
                pass

    def _take(self, case_id: str, month: str) -> None:
        own = self._waiting.pop(case_id, None)
        if own is not None and own.reserved_month is not None:
            self._count(own.reserved_month, -1)
        self._count(month, 1)
        self._held[case_id] = month

    def _allot(self, head: ProgrammeSummary, month: str) -> tuple[str, ...]:
        free = self._free(head, month)
        if free <= 0 or head.status == "terminated":
            return ()
        turn = sorted(
            (waiting.turn, case_id) for case_id, waiting in self._waiting.items() if waiting.reserved_month is None
        )
        offered = tuple(case_id for _, case_id in turn[:free])
        for case_id in offered:
            self._waiting[case_id].reserved_month = month
            self._count(month, 1)
        return offered

    def _release_stale(self, head: ProgrammeSummary, month: str) -> None:
        for waiting in self._waiting.values():
            if waiting.reserved_month is not None and self._stale(head, waiting, month):
                self._release(waiting)
        beyond = -self._free(head, month)
        counted = [each for each in self._waiting.values() if each.reserved_month is not None]
        if head.cap_period == "month":
            counted = [each for each in counted if each.reserved_month == month]
        for waiting in sorted(counted, key=lambda each: each.turn, reverse=True)[: max(0, beyond)]:
            self._release(waiting)

    def _release(self, waiting: _Waiting) -> None:
        if waiting.reserved_month is not None:
            self._count(waiting.reserved_month, -1)
        waiting.reserved_month = None

    def _stale(self, head: ProgrammeSummary, waiting: _Waiting, month: str) -> bool:
        return head.cap_period == "month" and waiting.reserved_month is not None and waiting.reserved_month < month

    def _free(self, head: ProgrammeSummary, month: str) -> int:
        return head.places - self._taken["total" if head.cap_period == "total" else month]

    def _count(self, month: str, change: int) -> None:
        self._taken["total"] += change
        self._taken[month] += change
