"""Filing: for how many boats a cooperative asks, and the rule on how many it may ask for."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from domain.kernel.case import Case, with_part
from domain.kernel.decider import Draft, World
from domain.kernel.definition import Events, Stage, Words, event, first_of, message, report, rule
from domain.kernel.events import CaseClosed, CaseEvent, Frozen, Personal, RuleResult
from domain.kernel.ids import EventId, ProgrammeId, RulesVersion
from domain.kernel.messages import FileApplication, Message, Rejection, Submission, TakeMessage
from domain.kernel.rule_set import RuleParameters

RULE = "fleet-size"


class Fleet(Frozen):
    """What a cooperative files."""

    cooperative: Annotated[str, Field(min_length=1, max_length=200)]
    register_number: Annotated[str, Field(min_length=1, max_length=20)]
    boats: Annotated[int, Field(ge=1, le=1000)]


ERASED = Fleet(cooperative="erased", register_number="erased", boats=1)


class FleetSubmitted(Submission):
    """A cooperative asks for boats in the bay."""

    message: Literal["application.submitted"] = "application.submitted"
    application: Fleet


class FleetWithdrawal(Message):
    """The cooperative does not want to fish any more."""

    SENDERS = ("applicant",)
    message: Literal["fleet.withdrawn"] = "fleet.withdrawn"


class FleetFiled(CaseEvent):
    """A case began."""

    programme: ProgrammeId
    rules_version: RulesVersion
    boats: int
    application: Annotated[Fleet, Personal(erased=ERASED)]


class FleetWithdrawn(CaseEvent):
    """The cooperative withdrew."""


@dataclass(frozen=True)
class Filed:
    """What was filed."""

    application: Fleet | None = None
    boats: int = 0
    fact: EventId | None = None


class FleetSize(RuleParameters):
    """How many boats one cooperative may have."""

    boats_max: int


def fleet_of(case: Case) -> Fleet:
    """What was filed. Raises `ValueError` for a case that never was."""
    found = case.of(Filed).application
    if found is None:
        raise ValueError("the case was never filed")
    return found


def fleet_size(case: Case, world: World) -> RuleResult:
    """The cooperative asks for no more boats than the rules allow."""
    filed = case.of(Filed)
    passed = filed.boats <= world.rules.of(RULE, FleetSize).boats_max
    return RuleResult(
        rule=RULE,
        result="passed" if passed else "failed",
        because="within-limit" if passed else "too-many",
        facts=() if filed.fact is None else (filed.fact,),
    )


def file(draft: Draft[Any], command: FileApplication) -> None:
    """Record what was filed; judging it is the case's next step.

    Raises:
        Rejection: the case was already filed, or what was filed is another family's.
    """
    if draft.case.filed:
        raise Rejection("already-filed")
    if not isinstance(command.message, FleetSubmitted):
        raise Rejection("not-of-this-programme")
    draft.add(
        FleetFiled(
            at=command.received_at,
            programme=draft.world.programme.programme,
            rules_version=draft.world.rules.version,
            boats=command.message.application.boats,
            application=command.message.application,
        )
    )


def filed(events: Events) -> FleetSubmitted:
    """What was filed, made again from the events that followed from it."""
    return FleetSubmitted(application=first_of(FleetFiled, events).application)


def withdraw(draft: Draft[Any], message: FleetWithdrawal, command: TakeMessage) -> None:
    """The case closes at once."""
    del message
    at = draft.not_before(command.received_at)
    draft.add(FleetWithdrawn(at=at), CaseClosed(at=at, outcome="withdrawn", reason="applicant-withdrew"))


def _filed(case: Case, event: FleetFiled) -> Case:
    return with_part(
        case,
        Filed(event.application, event.boats, case.next_event_id),
        programme=event.programme,
        rules_version=event.rules_version,
        filed_at=event.at,
        stage="inspection",
    )


STAGE = Stage(
    name=None,
    events=(
        event(FleetFiled, _filed, Words("{boats} boats were asked for.", "Se solicitaron {boats} barcos.")),
        report(FleetWithdrawn, Words("The cooperative withdrew.", "La cooperativa se retiró.")),
    ),
    messages=(message(FleetWithdrawal, withdraw, "The cooperative withdraws: closes.", {}),),
    rules=(
        rule(
            RULE,
            Words("size of the fleet", "tamaño de la flota"),
            {
                "within-limit": Words("within the limit", "dentro del límite"),
                "too-many": Words("too many boats", "demasiados barcos"),
            },
            fleet_size,
            "filing",
            parameters=FleetSize,
            facts=("boats",),
        ),
    ),
    senders={
        "supporter": Words("the cooperative", "la cooperativa"),
        "applicant": Words("the cooperative", "la cooperativa"),
    },
    outcomes={
        "completed": Words("completed", "concluido"),
        "ineligible": Words("not eligible", "no elegible"),
        "denied": Words("denied", "denegado"),
        "withdrawn": Words("withdrawn", "retirado"),
    },
    reasons={"applicant-withdrew": Words("the cooperative withdrew", "la cooperativa se retiró")},
)
