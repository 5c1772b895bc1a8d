"""Folds every case again, without any key, to what its head must say.

No field of a head rests on personal data: stages, waits, limits, days, outcomes, flags and places follow from public
fields alone, so the stand-ins of `Personal` take the place of what is encrypted, in an erased case and in any other.

A head's limits were worked out from the programme as it stood at the case's last decision, which may be older than the
programme is now. So each state of the programme is tried that this decision can have seen: `ProgrammeHistory.since`.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple, cast

from domain.events import CASE_EVENTS
from domain.evolve import evolve
from domain.rules.rule_set import RuleBook
from pydantic import ValidationError

from audit.verify.events import StreamEnd
from audit.verify.faults import Code, Faults
from audit.verify.headers import COLUMNS, Row
from domain.access import ACCESS_EVENTS, AccessEvent, LegalHoldPlaced, LegalHoldReleased
from domain.humanitarian_parole.stages.travel import TravelAuthorized
from domain.kernel.case import Case
from domain.kernel.events import CaseEvent
from domain.kernel.programme import Programme
from eventstore.format.codec import CODEC, Codec, UnknownEvent
from eventstore.format.summarize import summarize
from eventstore.summary import CaseSummary

_VERSION, _TYPE, _SCHEMA_VERSION, _HAPPENED_AT, _RECORDED_AT, _PUBLIC_BODY = (
    COLUMNS.index(name) for name in ("version", "type", "schema_version", "happened_at", "recorded_at", "public_body")
)
_ACCESS: Final = "access:"
"""Streams of who viewed, exported or was asked; of their events only the holds have a state."""
_OF_CASES: Final = frozenset(CASE_EVENTS)
_OF_ACCESS: Final = frozenset(ACCESS_EVENTS)
_CLOCKS_APART: Final = timedelta(seconds=60)
"""An append waits 15 s for its locks at most, and machines' clocks differ: so far `recorded_at` may be out of order."""


@dataclass(frozen=True, slots=True)
class ProgrammeHistory:
    """Every state a programme ever had: `states[n]` after event n + 1, `recorded[n]` when that was recorded."""

    states: tuple[Programme, ...]
    recorded: tuple[datetime, ...]

    def since(self, recorded_at: datetime) -> tuple[Programme, ...]:
        """The states that a decision recorded then, or one after it, can have seen; the newest first."""
        seen = sum(at < recorded_at - _CLOCKS_APART for at in self.recorded)
        return self.states[max(seen - 1, 0) :][::-1]


class Folded(NamedTuple):
    """A case at its end, and what else its head is compared with."""

    end: StreamEnd
    case: Case
    recorded_at: datetime
    granted_under: int
    """The version of the programme under which its place was granted; 0 without one."""

    @property
    def places(self) -> int:
        """How many places it holds."""
        return 0 if self.place_month is None else 1

    @property
    def place_month(self) -> str | None:
        """The month of the place that the case holds; an arrival keeps it, any other closing frees it."""
        case = self.case
        holds = case.authorization is not None and (case.parole is not None or not case.closed)
        return case.authorization.period if case.authorization is not None and holds else None


@dataclass(slots=True)
class Refold:
    """Follows the events; `folded` holds the cases that ended since it was last emptied."""

    faults: Faults
    codec: Codec = CODEC
    folded: list[Folded] = field(default_factory=list)
    access_ends: dict[str, StreamEnd] = field(default_factory=dict)
    """By access stream, of which there is one a programme."""
    held: set[str] = field(default_factory=set)
    """The cases under a legal hold."""
    _case: Case | None = None
    _granted_under: int = 0
    _readable: bool = True
    _recorded_at: str = ""

    def see(self, row: Row) -> None:
        """Fold one event."""
        stream = row[0]
        if self._case is None or self._case.case_id != stream:
            self._case, self._granted_under, self._readable = Case(stream), 0, True
        if not self._readable:
            return
        try:
            event = self.codec.decode(row[_TYPE], row[_SCHEMA_VERSION], row[_HAPPENED_AT], row[_PUBLIC_BODY], None)
            kind = type(event)  # asking pydantic's classes costs more than folding
            if kind in _OF_CASES:
                self._case = evolve(self._case, cast("CaseEvent", event))
                if kind is TravelAuthorized:
                    self._granted_under = cast("TravelAuthorized", event).basis.programme_version
            elif kind in _OF_ACCESS:
                self._hold(cast("AccessEvent", event))
            self._recorded_at = row[_RECORDED_AT]
        except (UnknownEvent, ValidationError, ValueError, TypeError):
            self._readable = False
            detail = f"{row[_TYPE]} version {row[_SCHEMA_VERSION]} cannot be read or folded"
            self.faults.add(Code.EVENT_UNREADABLE, stream, row[_VERSION], detail)

    def _hold(self, event: AccessEvent) -> None:
        if isinstance(event, LegalHoldPlaced):
            self.held.add(event.case)
        elif isinstance(event, LegalHoldReleased):
            self.held.discard(event.case)

    def end(self, stream: StreamEnd) -> None:
        """Keep the case for comparison; one with a fault in its events would only be accused twice."""
        if stream.stream.startswith(_ACCESS):
            self.access_ends[stream.stream] = stream
        elif self._case is not None and self._case.filed and stream.sound and self._readable:
            recorded_at = datetime.fromisoformat(self._recorded_at)
            self.folded.append(Folded(stream, self._case, recorded_at, self._granted_under))


@dataclass(slots=True)
class Places:
    """The places that cases hold, counted from their events."""

    by_month: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By programme: the month a place was taken in, and how many are held."""
    granted: dict[str, Counter[tuple[int, str]]] = field(default_factory=lambda: defaultdict(Counter))
    """By programme: those held, by the programme's version at the grant and by month."""

    def count(self, folded: Folded) -> None:
        """Take in one case."""
        month = folded.place_month
        if month is not None:
            self.by_month[folded.case.programme][month] += 1
            self.granted[folded.case.programme][folded.granted_under, month] += 1


def summary_faults(
    folded: Folded, head: CaseSummary, history: ProgrammeHistory, book: RuleBook
) -> tuple[str, ...] | None:
    """The fields in which the head differs from what the events say; None where the case's rules are not at hand."""
    differing: tuple[str, ...] = ()
    for programme in history.since(folded.recorded_at):
        rules = book.get(programme.running_rules_version or folded.case.rules_version)
        if rules is None:
            return None
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
