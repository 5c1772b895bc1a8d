"""A case as it was decided: its events by the command they followed from, and the world as they say it was. Pure.

What a decision knew beyond its own case stands in its events (decision 2): the day, the programme's version, the cases
of the same person, how many the supporter had, which details were shared, whether a place was got. Whether a
principal's case was open is read from that case, as of the moment of recording.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from itertools import groupby
from typing import Final, Literal, cast

from domain.calendar import NEW_YORK, day_of
from domain.case import Case
from domain.events import (
    Basis,
    CaseClosed,
    CaseEvent,
    ReferredToOfficer,
    TravelAuthorized,
    Waitlisted,
)
from domain.ids import CaseId
from domain.programme import Programme
from domain.rules.rule_set import RuleSet
from domain.world import World
from eventstore.format.envelope import Envelope
from eventstore.port import Stored

_SHARED: Final[dict[str, Literal["tax_id", "phone", "address"]]] = {
    "shared-tax-id": "tax_id",
    "shared-phone": "phone",
    "shared-address": "address",
}
_STATES_TRIED: Final = 3
"""Two machines' clocks may differ a little, so that the programme may have been one or two changes earlier."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What followed from one command."""

    command_id: str
    first_version: int
    rules_digest: str | None
    recorded_at: datetime
    events: tuple[CaseEvent, ...]

    @property
    def bases(self) -> tuple[Basis, ...]:
        """What its decisions rested on."""
        found = (getattr(event, "basis", None) for event in self.events)
        return tuple(basis for basis in found if basis is not None)

    @property
    def moment(self) -> datetime:
        """When it was decided: on the recorded day, and no later than its last event."""
        last = max(event.at for event in self.events)
        for basis in self.bases:
            if basis.decided_on != day_of(last):
                return datetime.combine(basis.decided_on, time(12), NEW_YORK)
        return last


def recorded(rows: Sequence[Envelope], events: Sequence[Stored]) -> tuple[Recorded, ...]:
    """The commands of a case, in order."""
    pairs = zip(rows, events, strict=True)
    return tuple(_one(command_id, list(group)) for command_id, group in groupby(pairs, key=lambda p: p[0].command_id))


def _one(command_id: str, group: list[tuple[Envelope, Stored]]) -> Recorded:
    row = group[0][0]
    events = tuple(cast("CaseEvent", stored.event) for _, stored in group)
    return Recorded(command_id, row.version, row.rules_digest, row.recorded_at, events)


@dataclass(frozen=True, slots=True)
class ProgrammeStates:
    """Every state of a programme, `states[n]` after n events, and when each event was recorded."""

    states: tuple[Programme, ...]
    recorded_at: tuple[datetime, ...]

    def at(self, decision: Recorded) -> tuple[Programme, ...]:
        """The states that the decision may have seen, the likeliest first; the one, where it says so."""
        for basis in decision.bases:
            if basis.programme_version < len(self.states):
                return (self.states[basis.programme_version],)
        seen = sum(at <= decision.recorded_at for at in self.recorded_at)
        return self.states[max(seen + 1 - _STATES_TRIED, 0) : seen + 1][::-1]


PrincipalOpen = Callable[[CaseId, datetime], bool]
"""Whether that case was filed and open when something was recorded at that moment."""


def world_of(
    before: Case, decision: Recorded, programme: Programme, rules: RuleSet, principal_open: PrincipalOpen
) -> World:
    """The world as the decision saw it, under these rules."""
    results = {result.rule: result for basis in decision.bases for result in basis.results}
    earlier = [b.earlier_supporter_cases for b in decision.bases if b.earlier_supporter_cases is not None]
    same = results.get("one-active-case")
    return World(
        now=decision.moment,
        rules=rules,
        programme=programme,
        place=_place(decision.events),
        same_person=() if same is None else same.cases,
        principal_open=_principal_open(before, decision, principal_open),
        earlier_supporter_cases=earlier[0] if earlier else 0,
        shared_details=_shared(decision.events),
    )


def _place(events: Iterable[CaseEvent]) -> Literal["free", "none"]:
    """A place was there if it was taken, or if the case was judged once more as it is only when there is one."""
    for event in events:
        if isinstance(event, TravelAuthorized):
            return "free"
        if isinstance(event, Waitlisted):
            return "none"
        if isinstance(event, CaseClosed) and event.basis and any(r.rule == "vetting" for r in event.basis.results):
            return "free"
    return "none"


def _principal_open(before: Case, decision: Recorded, principal_open: PrincipalOpen) -> bool:
    for basis in decision.bases:
        for result in basis.results:
            if result.because in ("travels-with-principal", "principal-not-open"):
                return result.because == "travels-with-principal"
    named = next((getattr(event, "principal", None) for event in decision.events), None)
    if before.beneficiary is not None and before.beneficiary.travels_with is not None:
        named = before.beneficiary.travels_with.case
    return named is not None and principal_open(named, decision.recorded_at)


def _shared(events: Iterable[CaseEvent]) -> tuple[Literal["tax_id", "phone", "address"], ...]:
    codes = [
        code
        for event in events
        if isinstance(event, ReferredToOfficer) and event.question == "supporter"
        for code in event.codes
    ]
    return tuple(_SHARED[code] for code in codes if code in _SHARED)
