"""Places under the caps of pools, in memory: the smallest model of decision 11 that a scenario can be played over.

Each case takes one place, of the pool that its programme's first cap names; programmes may share a pool.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from domain.kernel.ids import CaseId
from domain.kernel.programme import PlacesChanged, Programme, ProgrammeEvent, ProgrammeOpened, RulesAdopted


class Taken(NamedTuple):
    """A place that a case of this programme took in this month."""

    programme: str
    month: str


@dataclass
class Waiting:
    """A case on the waiting list; `reserved` is the month in which a place was reserved for it."""

    case: CaseId
    programme: str
    ready_at: datetime
    sequence: int
    reserved: str | None = None
    passed_over: bool = False


@dataclass
class Pool:
    """A pool's cap, as whoever spoke of it last set it; a number that the governments named goes on standing."""

    places: int
    named: bool


@dataclass
class Places:
    """Who has a place since which month, and who waits. Reserved counts as taken."""

    programmes: dict[str, Programme] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    taken: dict[CaseId, Taken] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    joined: int = 0

    def changed(self, programme: Programme, event: ProgrammeEvent) -> None:
        """Take in an event that left the programme so."""
        before = self.programmes.get(programme.programme)
        self.programmes[programme.programme] = programme
        name, named = programme.pool, programme.rules.caps[0].allotment in programme.places_named
        pool = self.pools.setdefault(name, Pool(programme.places, named))
        speaks = isinstance(event, ProgrammeOpened | PlacesChanged | RulesAdopted)
        joins = before is not None and before.pool != name and len(self._drawing(name)) > 1
        if speaks and not joins and (named or not pool.named):
            self.pools[name] = Pool(programme.places, named)

    def used(self, pool: str, month: str) -> int:
        """Places taken or reserved that count against the cap in `month`."""
        drawing = self._drawing(pool)
        held = [*self.taken.values(), *(Taken(w.programme, w.reserved) for w in self.waiting if w.reserved)]
        return sum(self._counts(each, month) for each in held if each.programme in drawing)

    def authorized(self, programme: str, month: str) -> int:
        """Places that a programme's cases have taken and not freed: of the current month under a monthly cap."""
        return sum(self._counts(each, month) for each in self.taken.values() if each.programme == programme)

    def waits(self, programme: str) -> int:
        """How many cases of a programme wait."""
        return sum(each.programme == programme for each in self.waiting)

    def place_for(self, case: CaseId, programme: str, month: str) -> Literal["free", "none", "reserved"]:
        """What `case` finds: its reservation, a place that nobody waits for before it, or none."""
        pool, mine = self._pool(programme), self._entry(case)
        if mine is not None and mine.reserved is not None and not self._void(mine, month):
            return "reserved"
        if mine is not None and mine.passed_over:
            return "none"
        ahead = [
            each
            for each in self._in_order(pool)
            if each.case != case and self._considered(each) and (each.reserved is None or self._void(each, month))
        ]
        if mine is not None:
            ahead = [each for each in ahead if (each.ready_at, each.sequence) < (mine.ready_at, mine.sequence)]
        return "free" if not ahead and self.used(pool, month) < self.pools[pool].places else "none"

    def take(self, case: CaseId, programme: str, month: str) -> None:
        """`TravelAuthorized` takes a place; without one to take it is a fault of the caller."""
        if self.place_for(case, programme, month) == "none" or case in self.taken:
            raise AssertionError("authorized without a place")
        self.leave(case)
        self.taken[case] = Taken(programme, month)

    def join(self, case: CaseId, programme: str, ready_at: datetime) -> None:
        """`Waitlisted`: first come by `ready_at`."""
        if self._entry(case) is not None:
            raise AssertionError("waits already")
        self.joined += 1
        self.waiting.append(Waiting(case, programme, ready_at, self.joined))

    def pass_over(self, case: CaseId, *, over: bool) -> None:
        """The case is passed over and keeps its turn, or no longer; what was reserved for it goes to the next."""
        entry = self._entry(case)
        if entry is not None:
            entry.passed_over, entry.reserved = over, None

    def leave(self, case: CaseId) -> None:
        """The case waits no longer, and gives up what was reserved for it. Harmless where it does not wait."""
        self.waiting = [each for each in self.waiting if each.case != case]

    def free(self, case: CaseId) -> None:
        """The case closed before parole: its place is free again. Harmless where it has none."""
        self.taken.pop(case, None)

    def allot(self, programme: str, month: str) -> list[CaseId]:
        """Reserve what is free of a programme's pool for the heads of the waiting list; the cases to tell, in order."""
        pool = self._pool(programme)
        places, order = self.pools[pool].places, self._in_order(pool)
        for each in order:
            if self._void(each, month):
                each.reserved = None
        for each in reversed(order):
            if self.used(pool, month) > places:
                each.reserved = None
        offered: list[CaseId] = []
        for each in order:
            if self._considered(each) and each.reserved is None and self.used(pool, month) < places:
                each.reserved = month
                offered.append(each.case)
        return offered

    def _pool(self, programme: str) -> str:
        return self.programmes[programme].pool

    def _drawing(self, pool: str) -> set[str]:
        return {name for name, each in self.programmes.items() if each.pool == pool}

    def _counts(self, place: Taken, month: str) -> bool:
        return self.programmes[place.programme].cap_period == "total" or place.month == month

    def _considered(self, entry: Waiting) -> bool:
        """A suspended programme's cases are passed over where others draw on the pool too."""
        programme = self.programmes[entry.programme]
        passed_over = programme.suspended and len(self._drawing(programme.pool)) > 1
        return not (programme.terminated or passed_over or entry.passed_over)

    def _void(self, entry: Waiting, month: str) -> bool:
        """A reservation of a month that is over, or of a case that is passed over."""
        programme = self.programmes[entry.programme]
        over = programme.cap_period == "month" and entry.reserved is not None and entry.reserved != month
        return over or (programme.suspended and not self._considered(entry))

    def _entry(self, case: CaseId) -> Waiting | None:
        return next((each for each in self.waiting if each.case == case), None)

    def _in_order(self, pool: str) -> list[Waiting]:
        of_pool: Iterable[Waiting] = (each for each in self.waiting if self._pool(each.programme) == pool)
        return sorted(of_pool, key=lambda each: (each.ready_at, each.sequence))
