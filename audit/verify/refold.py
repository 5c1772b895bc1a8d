"""Folds every case again, without any key, to what its head must say.

No field of a head rests on personal data: stages, waits, limits, days, outcomes, flags and places follow from public
fields alone, so the stand-ins of `Personal` take the place of what is encrypted, in an erased case and in any other.

A head's limits were worked out from the programme as it stood at the case's last decision or later, when a change of
the programme alone moved them. So each state of the programme since that decision is tried.
"""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, cast

from pydantic import ValidationError

from audit.programmes import ProgrammeHistory
from audit.verify.events import StreamEnd
from audit.verify.faults import Code, Faults
from audit.verify.headers import HAPPENED_AT, PUBLIC_BODY, SCHEMA_VERSION, STREAM, TYPE, VERSION, Row
from domain import registry
from domain.access import ACCESS_EVENTS, AccessEvent, LegalHoldPlaced, LegalHoldReleased
from domain.kernel.calendar import month_of
from domain.kernel.case import Case
from domain.kernel.decider import evolve
from domain.kernel.events import CaseEvent
from domain.kernel.family import Family
from domain.kernel.programme import PROGRAMME_EVENTS
from eventstore.format.codec import CODEC, Codec, UnknownEvent
from eventstore.format.summarize import summarize
from eventstore.summary import CaseSummary

_ACCESS: Final = "access:"
"""Streams of who viewed, exported or was asked; of their events only the holds have a state."""
_OF_ACCESS: Final = frozenset(ACCESS_EVENTS)
_OF_PROGRAMMES: Final = frozenset(PROGRAMME_EVENTS)


class LegalHold(NamedTuple):
    """A hold that is in force."""

    programme: str
    placed_at: datetime


class Held(NamedTuple):
    """The places that a case holds: an arrival keeps them, any other closing frees them."""

    allotment: str
    period: str
    """The month in which it took them."""
    quantity: int
    granted_under: int
    """The version of the programme at the grant."""


class Folded(NamedTuple):
    """A case at its end, and what else its head is compared with."""

    end: StreamEnd
    case: Case
    seen: int
    """The newest version of the programme that one of its decisions names."""
    held: Held | None
    turn_at: datetime | None
    """Since when it is on the waiting list."""


@dataclass(slots=True)
class Refold:
    """Follows the events; `folded` holds the cases that ended since it was last emptied."""

    faults: Faults
    programmes: Collection[str] = ()
    """Those that have a head."""
    codec: Codec = CODEC
    folded: list[Folded] = field(default_factory=list)
    access_ends: dict[str, StreamEnd] = field(default_factory=dict)
    """By access stream, of which there is one a programme."""
    legal_holds: dict[str, LegalHold] = field(default_factory=dict)
    """By case that is under one."""
    _case: Case | None = None
    _kinds: Collection[type[Any]] = ()
    """The events that the stream may have."""
    _family: Family | None = None
    _skipped: list[tuple[int, str]] = field(default_factory=list)
    _seen: int = 0
    _held: Held | None = None
    _turn_at: datetime | None = None
    _readable: bool = True

    def see(self, row: Row) -> None:
        """Fold one event."""
        stream = row[STREAM]
        if self._case is None or self._case.case_id != stream:
            self._case, self._seen, self._held, self._turn_at, self._readable = Case(stream), 0, None, None, True
            self._begin(stream)
        if not self._readable:
            return
        try:
            event = self.codec.decode(row[TYPE], row[SCHEMA_VERSION], row[HAPPENED_AT], row[PUBLIC_BODY], None)
            kind = type(event)  # asking pydantic's classes costs more than folding
            if kind not in self._kinds:
                self._readable = False
                self.faults.add(Code.EVENT_FOREIGN, stream, row[VERSION], f"{row[TYPE]} is no event of such a stream")
            elif self._family is not None:
                self._fold(cast("CaseEvent", event))
            elif self._kinds is _OF_ACCESS:
                self._hold(stream, cast("AccessEvent", event))
        except (UnknownEvent, ValidationError, ValueError, TypeError, LookupError):
            self._readable = False
            detail = f"{row[TYPE]} version {row[SCHEMA_VERSION]} cannot be read or folded"
            self.faults.add(Code.EVENT_UNREADABLE, stream, row[VERSION], detail)

    def _begin(self, stream: str) -> None:
        """What the stream may hold, by its name: a programme's, an access log's, or a case's of a known programme."""
        self._family, self._skipped = None, []
        if stream in self.programmes:
            self._kinds = _OF_PROGRAMMES
            return
        if stream.startswith(_ACCESS) and stream.removeprefix(_ACCESS) in self.programmes:
            self._kinds = _OF_ACCESS
            return
        try:
            self._family = registry.family_of(stream)
            self._kinds = self._family.handlers.keys()
        except LookupError:
            self._kinds, self._readable = (), False
            self.faults.add(Code.STREAM_UNKNOWN, stream, None, "it is no programme's, no access log and no case")

    def _fold(self, event: CaseEvent) -> None:
        before, family = cast("Case", self._case), cast("Family", self._family)
        after = self._case = evolve(family, before, event)
        if event.basis is not None:
            self._seen = event.basis.programme_version
        places = family.places(before, after, (event,))
        if places is None:
            return
        self._turn_at = places.ready_at
        if places.change in ("take", "join"):
            self._in_turn(family, before, type(event))
        if places.change == "take":
            more = self._held.quantity if self._held else 0
            self._held = Held(places.allotment, month_of(event.at), more + places.quantity, self._seen)
        elif places.change == "free":
            self._held = None

    def _in_turn(self, family: Family, before: Case, kind: type[CaseEvent]) -> None:
        """A place is for a case that has every stage before it behind it."""
        for stage in family.stages:
            if any(declared.kind is kind for declared in stage.events):
                return
            if stage.carry_on is not None and not stage.done(before):
                detail = f"{kind.__name__} though {stage.name or 'a stage before it'} is not done"
                self._skipped.append((before.version + 1, detail))
                return

    def _hold(self, stream: str, event: AccessEvent) -> None:
        if isinstance(event, LegalHoldPlaced):
            programme = stream.removeprefix(_ACCESS)
            self.legal_holds.setdefault(event.case, LegalHold(programme, event.at))
        elif isinstance(event, LegalHoldReleased):
            self.legal_holds.pop(event.case, None)

    def end(self, stream: StreamEnd) -> None:
        """Keep the case for comparison; one with a fault in its events would only be accused twice."""
        if stream.stream.startswith(_ACCESS):
            self.access_ends[stream.stream] = stream
        elif self._case is not None and self._case.filed and stream.sound and self._readable:
            for version, detail in self._skipped:
                self.faults.add(Code.STAGE_SKIPPED, stream.stream, version, detail)
            self.folded.append(Folded(stream, self._case, self._seen, self._held, self._turn_at))


@dataclass(slots=True)
class Places:
    """The places that cases hold, counted from their events."""

    held: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By programme, allotment and month."""
    granted: dict[tuple[str, str], Counter[tuple[int, str]]] = field(default_factory=lambda: defaultdict(Counter))
    """By programme and allotment: those held, by the programme's version at the grant and by month."""

    def count(self, folded: Folded) -> None:
        """Take in one case."""
        held, programme = folded.held, folded.case.programme
        if held is not None:
            self.held[programme, held.allotment, held.period] += held.quantity
            self.granted[programme, held.allotment][held.granted_under, held.period] += held.quantity


def summary_faults(folded: Folded, head: CaseSummary, history: ProgrammeHistory) -> tuple[str, ...]:
    """The fields in which the head differs from what the events say."""
    differing: tuple[str, ...] = ()
    for programme in history.since(folded.seen):
        if folded.case.rules_version not in programme.sets:
            return ("rules_version",)
        rules = programme.rules_for(folded.case.rules_version, folded.case.filed_at)
        expected = summarize(folded.case, programme, rules, _decided_at(folded.case, head))
        differing = _differing(expected, head)
        if not differing:
            break
    return differing


def _decided_at(case: Case, head: CaseSummary) -> datetime:
    """A moment at which the head's limit is the next one: a month's end moves on with each decision, events or none."""
    last_at = cast("datetime", case.last_at)
    if head.due_at is None:
        return last_at
    before = head.due_at - timedelta(microseconds=1) if head.due_name == "month" else head.due_at
    return max(last_at, before)


def _differing(expected: CaseSummary, head: CaseSummary) -> tuple[str, ...]:
    if expected == head:
        return ()
    return tuple(name for name in CaseSummary.__slots__ if getattr(expected, name) != getattr(head, name))
