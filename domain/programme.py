"""The programme itself: opened, its places, its rules, suspended, resumed, terminated. One stream a programme."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal, assert_never

from pydantic import AwareDatetime, Field

from domain.events import Frozen
from domain.messages import (
    CapChange,
    GovernmentsMessage,
    ProgrammeResumption,
    ProgrammeSuspension,
    ProgrammeTermination,
    RulesAdoption,
    RulesVersion,
)
from domain.pauses import Pause
from domain.rejection import Rejection
from domain.rules.rule_set import RuleBook, RuleSet

CapPeriod = Literal["total", "month"]


class ProgrammeEvent(Frozen):
    """Base of every event of a programme; nothing in them is personal."""

    SCHEMA_VERSION: ClassVar[int] = 1

    at: AwareDatetime


class ProgrammeOpened(ProgrammeEvent):
    programme: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    rules_version: RulesVersion
    rules_digest: str
    places: int
    """Of the rule set, or `places_override` where the governments named a number of their own."""
    places_override: int | None = None
    cap_period: CapPeriod


class PlacesChanged(ProgrammeEvent):
    places: int


class RulesAdopted(ProgrammeEvent):
    rules_version: RulesVersion
    rules_digest: str
    places: int
    """Of the rule set; an override that stands goes on standing."""
    cap_period: CapPeriod
    applies_to_running: bool


class ProgrammeSuspended(ProgrammeEvent):
    """No case is decided from `at` on, until it resumes."""


class ProgrammeResumed(ProgrammeEvent):
    """Cases go on, with the time that remained to them."""


class ProgrammeTerminated(ProgrammeEvent):
    parole_ends_on: date


PROGRAMME_EVENTS: tuple[type[ProgrammeEvent], ...] = tuple(ProgrammeEvent.__subclasses__())


@dataclass(frozen=True, slots=True)
class Programme:
    """The state of a programme, folded from its stream. `version` 0 is a programme that was never opened."""

    version: int = 0
    programme: str = ""
    rules_version: str = ""
    running_rules_version: str | None = None
    """The set that running cases follow too, where the latest such adoption said so."""
    running_rules_since: datetime | None = None
    """When it was adopted: cases filed later keep the set of their own filing."""
    rule_set_places: int = 0
    places_override: int | None = None
    cap_period: CapPeriod = "total"
    pauses: tuple[Pause, ...] = ()
    terminated_at: datetime | None = None
    parole_ends_on: date | None = None

    @property
    def places(self) -> int:
        """The cap: the rule set's, unless the governments named their own number."""
        return self.rule_set_places if self.places_override is None else self.places_override

    @property
    def terminated(self) -> bool:
        """It ended for good; nobody travels any more."""
        return self.terminated_at is not None

    @property
    def suspended(self) -> bool:
        """Whether decisions wait. A terminated programme makes none that would."""
        return bool(self.pauses) and self.pauses[-1].until is None and not self.terminated

    def rules_version_for(self, rules_version: str, filed_at: datetime) -> str:
        """The set a case follows: that of its filing, unless one adopted since then says it holds for running cases."""
        since, running = self.running_rules_since, self.running_rules_version
        return running if running is not None and since is not None and filed_at <= since else rules_version

    @property
    def status(self) -> Literal["open", "suspended", "terminated"]:
        """The one word that lists and pages show."""
        if self.terminated:
            return "terminated"
        return "suspended" if self.suspended else "open"


def evolve_programme(state: Programme, event: ProgrammeEvent) -> Programme:
    """The programme after `event`."""
    state = replace(state, version=state.version + 1)
    match event:
        case ProgrammeOpened():
            return replace(
                state,
                programme=event.programme,
                rules_version=event.rules_version,
                rule_set_places=event.places,
                places_override=event.places_override,
                cap_period=event.cap_period,
            )
        case PlacesChanged():
            return replace(state, places_override=event.places)
        case RulesAdopted():
            return _adopted(state, event)
        case ProgrammeSuspended():
            return replace(state, pauses=(*state.pauses, Pause(event.at, None)))
        case ProgrammeResumed():
            return replace(state, pauses=(*state.pauses[:-1], Pause(state.pauses[-1].since, event.at)))
        case ProgrammeTerminated():
            return replace(state, terminated_at=event.at, parole_ends_on=event.parole_ends_on)
        case _:
            raise TypeError(f"not an event of a programme: {type(event).__name__}")


def _adopted(state: Programme, event: RulesAdopted) -> Programme:
    state = replace(state, rules_version=event.rules_version, rule_set_places=event.places, cap_period=event.cap_period)
    if not event.applies_to_running:
        return state
    return replace(state, running_rules_version=event.rules_version, running_rules_since=event.at)


def open_programme(programme: str, rules: RuleSet, places: int | None, at: datetime) -> tuple[ProgrammeEvent, ...]:
    """The first event of a programme's stream; `places` overrides the rule set's number."""
    return (
        ProgrammeOpened(
            at=at,
            programme=programme,
            rules_version=rules.version,
            rules_digest=rules.digest,
            places=rules.places,
            places_override=places,
            cap_period=rules.cap_period,
        ),
    )


def decide_programme(
    state: Programme, message: GovernmentsMessage, at: datetime, book: RuleBook
) -> tuple[ProgrammeEvent, ...]:
    """What follows from a message of the governments at `at`.

    Raises:
        Rejection: the programme cannot take it now; its code says why.
    """
    if state.version == 0:
        raise Rejection("programme-not-opened")
    if state.terminated:
        raise Rejection("programme-terminated")
    match message:
        case ProgrammeSuspension():
            if state.suspended:
                raise Rejection("already-suspended")
            return (ProgrammeSuspended(at=at),)
        case ProgrammeResumption():
            if not state.suspended:
                raise Rejection("not-suspended")
            return (ProgrammeResumed(at=at),)
        case ProgrammeTermination():
            return (ProgrammeTerminated(at=at, parole_ends_on=message.parole_ends_on),)
        case CapChange():
            return (PlacesChanged(at=at, places=message.places),)
        case RulesAdoption():
            return (_adopt(state, message, at, book),)
        case _:
            assert_never(message)


def _adopt(state: Programme, message: RulesAdoption, at: datetime, book: RuleBook) -> RulesAdopted:
    if message.rules == state.rules_version:
        raise Rejection("rules-already-in-force")
    rules = book.get(message.rules)
    if rules is None:
        raise Rejection("unknown-rules")
    return RulesAdopted(
        at=at,
        rules_version=rules.version,
        rules_digest=rules.digest,
        places=rules.places,
        cap_period=rules.cap_period,
        applies_to_running=rules.applies_to_running,
    )
