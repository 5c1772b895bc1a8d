"""The harbour office inspects the boats; an officer looks where it has doubts."""

from dataclasses import dataclass
from typing import Any, Literal

from domain.kernel.case import Case, Request, answered, asked, settled, with_part
from domain.kernel.decider import Draft
from domain.kernel.definition import (
    Events,
    PartnerDefinition,
    QuestionDefinition,
    RuleDefinition,
    Stage,
    Words,
    answer,
    event,
    first_of,
)
from domain.kernel.events import CaseEvent, ReferredToOfficer
from domain.kernel.ids import MessageId
from domain.kernel.messages import Flags, PartnerAnswer, PartnerCheck
from domain.kernel.referrals import OFFICER_APPROVED, refer
from tests.programmes.permits.stages.filing import Fleet, fleet_of

PARTNER = "harbour_office"
RULE = "seaworthiness"


class InspectionCheck(PartnerCheck):
    """Are the boats of this cooperative seaworthy?"""

    fleet: Fleet

    @property
    def subject(self) -> str:
        """The number under which the cooperative is registered."""
        return self.fleet.register_number


class InspectionPassedAnswer(PartnerAnswer):
    """The boats are seaworthy."""

    SENDERS = (PARTNER,)
    message: Literal["inspection.passed"] = "inspection.passed"


class InspectionDoubtfulAnswer(PartnerAnswer):
    """The office has doubts."""

    SENDERS = (PARTNER,)
    message: Literal["inspection.doubtful"] = "inspection.doubtful"
    flags: Flags = ()


class InspectionRequested(CaseEvent):
    """The harbour office was asked. The rules on what was filed were passed."""

    request_id: MessageId


class InspectionPassed(CaseEvent):
    """The boats are seaworthy, as the office or an officer says."""

    by_officer: bool = False


@dataclass(frozen=True)
class Inspection:
    """Whether the office was asked, and whether the boats are seaworthy."""

    asked: bool = False
    passed: bool = False


def check_of(case: Case, request: Request) -> InspectionCheck:
    """What the office is asked."""
    return InspectionCheck(
        request_id=request.request_id, case_id=case.case_id, requested_at=request.at, fleet=fleet_of(case)
    )


def carry_on(draft: Draft[Any]) -> Events:
    """Try the rules of filing, then ask the office once."""
    if draft.case.of(Inspection).asked:
        return ()
    results = draft.family.tried("filing", draft.case, draft.world)
    basis = draft.basis(*results)
    failed = next((result.rule for result in results if result.result == "failed"), None)
    if failed is not None:
        return draft.closing("ineligible", failed, basis)
    return (InspectionRequested(at=draft.now, basis=basis, request_id=draft.case.next_event_id),)


def on_passed(draft: Draft[Any], message: InspectionPassedAnswer) -> Events:
    """The boats are seaworthy."""
    del message
    return (InspectionPassed(at=draft.now),)


def on_doubtful(draft: Draft[Any], message: InspectionDoubtfulAnswer) -> Events:
    """An officer looks."""
    return refer(draft, RULE, message.flags)


def approved(draft: Draft[Any]) -> Events:
    """An officer found the boats seaworthy."""
    return (InspectionPassed(at=draft.now, by_officer=True),)


def denied(draft: Draft[Any], number: int) -> Events:
    """Two officers found that they are not."""
    del number
    return draft.closing("denied", RULE)


def _requested(case: Case, event: InspectionRequested) -> Case:
    return with_part(case, Inspection(asked=True), requests=asked(case, PARTNER, event.request_id, event.at))


def _passed(case: Case, event: InspectionPassed) -> Case:
    del event
    return with_part(
        case,
        Inspection(asked=True, passed=True),
        requests=answered(case, PARTNER),
        referrals=settled(case, RULE),
        stage="season",
    )


STAGE = Stage(
    name="inspection",
    title=Words("inspection of the boats", "inspección de los barcos"),
    events=(
        event(InspectionRequested, _requested, Words("The harbour office was asked.", "Se consultó la capitanía.")),
        event(InspectionPassed, _passed, Words("The boats are seaworthy.", "Los barcos son aptos.")),
    ),
    partners=(
        PartnerDefinition(
            PARTNER,
            Words("the harbour office", "la capitanía de puerto"),
            waiting_on="harbour",
            asks=InspectionCheck,
            check=check_of,
            answers=(
                answer(InspectionPassedAnswer, on_passed, "The boats are seaworthy."),
                answer(
                    InspectionDoubtfulAnswer,
                    on_doubtful,
                    "The office has doubts: an officer looks.",
                    {"flags": ["old-hull"]},
                    said=lambda events: InspectionDoubtfulAnswer(flags=first_of(ReferredToOfficer, events).flags),
                ),
            ),
        ),
    ),
    questions=(QuestionDefinition(RULE, PARTNER, approved, denied),),
    rules=(RuleDefinition(RULE, Words("seaworthiness", "aptitud"), {"officer-approved": OFFICER_APPROVED}),),
    carry_on=carry_on,
    done=lambda case: case.of(Inspection).passed,
)
