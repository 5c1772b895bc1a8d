"""The programme itself: opened, its places, its rules, suspended, resumed, terminated. One stream a programme."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, assert_never

from pydantic import AwareDatetime, Field

from domain.kernel.calendar import Pause
from domain.kernel.events import Frozen
from domain.kernel.ids import Code, Digest, ProgrammeId, RulesVersion
from domain.kernel.messages import (
    CapChange,
    GovernmentsMessage,
    ProgrammeResumption,
    ProgrammeSuspension,
    ProgrammeTermination,
    Rejection,
    RulesAdoption,
)
from domain.kernel.rule_set import Cap, RuleSet, read_rule_set

RuleSetText = Annotated[str, Field(max_length=200_000)]
"""A whole rule set as canonical JSON, so that the record holds it whatever is bundled later."""


class ProgrammeEvent(Frozen):
    """Base of every event of a programme; nothing in them is personal."""

    SCHEMA_VERSION: ClassVar[int] = 1

    at: AwareDatetime


class ProgrammeOpened(ProgrammeEvent):
    """Cases may be filed from now on."""

    programme: ProgrammeId
    rules_version: RulesVersion
    rules_digest: Digest
    rules: RuleSetText
    places: int | None = None
    """A number of the governments' own, in place of the rule set's."""


class PlacesChanged(ProgrammeEvent):
    """The governments named a number of places of their own."""

    places: int
    pool: Code | None = None
    """Of which pool; None where the programme has only one."""


class RulesAdopted(ProgrammeEvent):
    """Another rule set is in force; a number of places that the governments named goes on standing."""

    rules_version: RulesVersion
    rules_digest: Digest
    rules: RuleSetText


class ProgrammeSuspended(ProgrammeEvent):
    """No case is decided from `at` on, until it resumes."""


class ProgrammeResumed(ProgrammeEvent):
    """Cases go on, with the time that remained to them."""


class ProgrammeTerminated(ProgrammeEvent):
    """The programme ended for good."""

    parole_ends_on: date


PROGRAMME_EVENTS: tuple[type[ProgrammeEvent], ...] = tuple(ProgrammeEvent.__subclasses__())


@dataclass(frozen=True, slots=True)
class Programme:
    """The state of a programme, folded from its stream. `version` 0 is a programme that was never opened."""

    version: int = 0
    programme: str = ""
    rules_version: str = ""
    """The set in force."""
    sets: Mapping[str, RuleSet] = field(default_factory=lambda: MappingProxyType({}))
    """Every set that was ever in force, by version, as the record keeps it."""
    running_rules_version: str | None = None
    """The set that running cases follow too, where the latest such adoption said so."""
    running_rules_since: datetime | None = None
    """When it was adopted: cases filed later keep the set of their own filing."""
    places_named: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """By allotment: a number of the governments' own, which goes on standing under other rules."""
    pauses: tuple[Pause, ...] = ()
    terminated_at: datetime | None = None
    parole_ends_on: date | None = None

    @property
    def rules(self) -> RuleSet:
        """The set in force. Raises `KeyError` for a programme that was never opened."""
        return self.sets[self.rules_version]

    @property
    def places(self) -> int:
        """The places of its first cap, which for most programmes is the only one."""
        return self.places_of(self.rules.caps[0])

    def places_of(self, cap: Cap) -> int:
        """The cap: the rule set's, unless the governments named their own number."""
        return self.places_named.get(cap.allotment, cap.places)

    @property
    def pool(self) -> str:
        """The pool that its places are of."""
        return self.rules.caps[0].pool

    @property
    def cap_period(self) -> Literal["total", "month"]:
        """The period in which places are counted."""
        return self.rules.cap_period

    @property
    def terminated(self) -> bool:
        """It ended for good; nobody travels any more."""
        return self.terminated_at is not None

    @property
    def suspended(self) -> bool:
        """Whether decisions wait. A terminated programme makes none that would."""
        return bool(self.pauses) and self.pauses[-1].until is None and not self.terminated

    def rules_for(self, rules_version: str, filed_at: datetime | None) -> RuleSet:
        """The set a case follows: that of its filing, unless one adopted since then says it holds for running cases.

        One that is not filed yet follows the set in force.
        """
        since, running = self.running_rules_since, self.running_rules_version
        if filed_at is None:
            return self.rules
        follows = running if running is not None and since is not None and filed_at <= since else rules_version
        return self.sets[follows]

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
            opened = _in_force(replace(state, programme=event.programme), read_rule_set(event.rules))
            return opened if event.places is None else _with_places(opened, None, event.places)
        case PlacesChanged():
            return _with_places(state, event.pool, event.places)
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


def _in_force(state: Programme, rules: RuleSet) -> Programme:
    return replace(state, rules_version=rules.version, sets={**state.sets, rules.version: rules})


def cap_of(state: Programme, pool: str | None) -> Cap | None:
    """The cap of a pool that the programme draws on; of None, its first one."""
    return next((cap for cap in state.rules.caps if pool in (None, cap.pool)), None)


def _with_places(state: Programme, pool: str | None, places: int) -> Programme:
    cap = cap_of(state, pool)
    return state if cap is None else replace(state, places_named={**state.places_named, cap.allotment: places})


def _adopted(state: Programme, event: RulesAdopted) -> Programme:
    rules = read_rule_set(event.rules)
    state = _in_force(state, rules)
    if not rules.applies_to_running:
        return state
    return replace(state, running_rules_version=rules.version, running_rules_since=event.at)


def open_programme(
    rules: RuleSet, places: int | None, at: datetime, of_pools: Mapping[str, int] = MappingProxyType({})
) -> tuple[ProgrammeEvent, ...]:
    """The first events of a programme's stream; `places` takes the place of its first cap's number.

    `of_pools` has numbers of other pools that it draws on.
    """
    return (
        ProgrammeOpened(
            at=at,
            programme=rules.programme,
            rules_version=rules.version,
            rules_digest=rules.digest,
            rules=rules.text,
            places=places,
        ),
        *(PlacesChanged(at=at, places=number, pool=pool) for pool, number in of_pools.items()),
    )


def decide_programme(
    state: Programme, message: GovernmentsMessage, at: datetime, sets: Mapping[str, RuleSet]
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
            return (_set_cap(state, message, at),)
        case RulesAdoption():
            return (_adopt(state, message, at, sets),)
        case _:
            assert_never(message)


def _set_cap(state: Programme, message: CapChange, at: datetime) -> PlacesChanged:
    if cap_of(state, message.pool) is None:
        raise Rejection("unknown-pool")
    return PlacesChanged(at=at, places=message.places, pool=message.pool)


def _adopt(state: Programme, message: RulesAdoption, at: datetime, sets: Mapping[str, RuleSet]) -> RulesAdopted:
    if message.rules == state.rules_version:
        raise Rejection("rules-already-in-force")
    rules = sets.get(message.rules)
    if rules is None:
        raise Rejection("unknown-rules")
    if rules.version in state.sets and state.sets[rules.version].digest != rules.digest:
        raise Rejection("rules-version-taken")
    return RulesAdopted(at=at, rules_version=rules.version, rules_digest=rules.digest, rules=rules.text)
