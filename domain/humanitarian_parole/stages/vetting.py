"""Security vetting: cleared, or looked at by an officer; no hit denies by itself."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from domain.humanitarian_parole.application import Beneficiary
from domain.humanitarian_parole.stages.filing import beneficiary_of
from domain.humanitarian_parole.world import Draft, World
from domain.kernel.calendar import day_of, years_after
from domain.kernel.case import Case, Request, answered, asked, replace, settled, with_part
from domain.kernel.definition import (
    Events,
    PartnerDefinition,
    QuestionDefinition,
    Stage,
    Words,
    answer,
    event,
    first_of,
    report,
    rule,
)
from domain.kernel.events import CaseEvent, Flag, Frozen, Personal, ReferredToOfficer, RuleResult
from domain.kernel.ids import EventId, MessageId
from domain.kernel.messages import Flags, PartnerAnswer, PartnerCheck
from domain.kernel.referrals import refer
from domain.kernel.rule_set import RuleParameters

PARTNER = "vetting"
RULE = "vetting"
REMOVAL_ORDER = "removal-order"


class Finding(Frozen):
    """Something vetting found that a rule judges."""

    kind: Literal["removal_order"]
    dated: date


class VettingCheck(PartnerCheck):
    """Is anything known about this beneficiary?"""

    beneficiary: Beneficiary

    @property
    def subject(self) -> str:
        """The number of the beneficiary's passport."""
        return self.beneficiary.passport.number


class VettingClearedAnswer(PartnerAnswer):
    """Vetting found nothing against the beneficiary but what `findings` name."""

    SENDERS = (PARTNER,)
    message: Literal["vetting.cleared"] = "vetting.cleared"
    findings: Annotated[tuple[Finding, ...], Field(max_length=20)] = ()


class VettingReferredAnswer(PartnerAnswer):
    """Vetting asks that an officer looks."""

    SENDERS = (PARTNER,)
    message: Literal["vetting.referred"] = "vetting.referred"
    flags: Flags = ()


class VettingHitAnswer(PartnerAnswer):
    """Somebody of that description is on a list: suspicion, which only an officer may weigh."""

    SENDERS = (PARTNER,)
    message: Literal["vetting.hit"] = "vetting.hit"
    kind: Flag = "hit"


class VettingRequested(CaseEvent):
    """The vetting service was asked."""

    request_id: MessageId


class VettingCleared(CaseEvent):
    """Cleared, by the service or by an officer."""

    by_officer: bool = False
    findings: Annotated[tuple[Finding, ...], Personal(erased=())] = ()


class VettingDenied(CaseEvent):
    """Two officers denied."""

    number: int


@dataclass(frozen=True)
class SecurityVetting:
    """How far vetting has come, and what it found."""

    cleared: bool = False
    asked: bool = False
    again: bool = False
    """A passport changed after authorization, and vetting was not yet asked about the new one."""
    findings: tuple[Finding, ...] = ()
    fact: EventId | None = None


class RemovalOrder(RuleParameters):
    """For how many years before filing a removal order counts."""

    years: int


def removal_order(case: Case, world: World) -> RuleResult:
    """No removal order in the years before filing; one dated exactly so many years before passes."""
    if case.filed_at is None:
        raise ValueError("the case was never filed")
    vetted = case.of(SecurityVetting)
    years = world.rules.of(REMOVAL_ORDER, RemovalOrder).years
    first_day = years_after(day_of(case.filed_at), -years)
    found = any(finding.dated > first_day for finding in vetted.findings)
    return RuleResult(
        rule=REMOVAL_ORDER,
        result="failed" if found else "passed",
        because="ordered-within-years" if found else "none-within-years",
        facts=() if vetted.fact is None else (vetted.fact,),
    )


def vetting(case: Case, world: World) -> RuleResult:
    """Vetting is cleared."""
    del world
    vetted = case.of(SecurityVetting)
    return RuleResult(
        rule=RULE,
        result="passed" if vetted.cleared else "failed",
        because="cleared" if vetted.cleared else "not-cleared",
        facts=() if vetted.fact is None else (vetted.fact,),
    )


def check_of(case: Case, request: Request) -> VettingCheck:
    """What the vetting service is asked."""
    return VettingCheck(
        request_id=request.request_id,
        case_id=case.case_id,
        requested_at=request.at,
        beneficiary=beneficiary_of(case),
    )


def request_vetting(draft: Draft) -> Events:
    """Ask for vetting, once, unless a changed passport asks for it anew (`vet_again`)."""
    vetted = draft.case.of(SecurityVetting)
    return () if vetted.asked or vetted.cleared else _request(draft)


def vet_again(draft: Draft) -> Events:
    """A new passport is vetted at once, also while a supporter is missing."""
    return _request(draft) if draft.case.of(SecurityVetting).again else ()


def _request(draft: Draft) -> Events:
    return (VettingRequested(at=draft.now, request_id=draft.case.next_event_id),)


def on_cleared(draft: Draft, message: VettingClearedAnswer) -> Events:
    """Cleared; the rules judge the findings next (`judge_findings`)."""
    return (VettingCleared(at=draft.now, findings=message.findings),)


def on_referred(draft: Draft, message: VettingReferredAnswer) -> Events:
    """Vetting asks for an officer."""
    return refer(draft, RULE, message.flags)


def on_hit(draft: Draft, message: VettingHitAnswer) -> Events:
    """A hit is suspicion: an officer weighs it."""
    return refer(draft, RULE, (message.kind,))


def judge_findings(draft: Draft) -> Events:
    """A removal order within the rule's years closes the case."""
    if not draft.case.of(SecurityVetting).findings or REMOVAL_ORDER not in draft.world.rules.rules:
        return ()
    result = removal_order(draft.case, draft.world)
    if result.result == "passed":
        return ()
    return draft.closing("ineligible", REMOVAL_ORDER, draft.basis(result))


def approved_by_officer(draft: Draft) -> Events:
    """An officer cleared the referral."""
    return (VettingCleared(at=draft.now, by_officer=True),)


def denied_by_officers(draft: Draft, number: int) -> Events:
    """Two officers denied."""
    return (VettingDenied(at=draft.now, number=number), *draft.closing("denied", RULE))


def _requested(case: Case, event: VettingRequested) -> Case:
    vetted = replace(case.of(SecurityVetting), asked=True, cleared=False, again=False)
    return with_part(case, vetted, requests=asked(case, PARTNER, event.request_id, event.at))


def _cleared(case: Case, event: VettingCleared) -> Case:
    vetted = replace(case.of(SecurityVetting), cleared=True, findings=event.findings, fact=case.next_event_id)
    return with_part(
        case,
        vetted,
        requests=case.requests if event.by_officer else answered(case, PARTNER),
        referrals=settled(case, RULE),
        stage="travel_authorization",
    )


def is_cleared(case: Case) -> bool:
    """Vetting is cleared, and nothing about the case is asked of anybody."""
    return case.of(SecurityVetting).cleared and not case.requests and not case.open_referrals


STAGE = Stage(
    name="security_vetting",
    title=Words("security vetting", "revisión de seguridad"),
    events=(
        event(
            VettingRequested,
            _requested,
            Words("Security vetting was asked for.", "Se solicitó la revisión de seguridad."),
        ),
        event(
            VettingCleared,
            _cleared,
            Words("Security vetting is cleared.", "La revisión de seguridad está superada."),
        ),
        report(VettingDenied, Words("Two officers denied.", "Dos oficiales resolvieron en sentido negativo.")),
    ),
    partners=(
        PartnerDefinition(
            PARTNER,
            Words("the vetting service", "el servicio de revisión de seguridad"),
            waiting_on="vetting",
            asks=VettingCheck,
            check=check_of,
            answers=(
                answer(
                    VettingClearedAnswer,
                    on_cleared,
                    "Vetting found nothing against the beneficiary.",
                    said=lambda events: VettingClearedAnswer(findings=first_of(VettingCleared, events).findings),
                ),
                answer(
                    VettingReferredAnswer,
                    on_referred,
                    "Vetting asks that an officer looks.",
                    {"flags": ["alias"]},
                    said=lambda events: VettingReferredAnswer(flags=first_of(ReferredToOfficer, events).flags),
                ),
                answer(
                    VettingHitAnswer,
                    on_hit,
                    "Somebody of that description is on a list: an officer looks.",
                    {"kind": "name-match"},
                    said=lambda events: VettingHitAnswer(kind=first_of(ReferredToOfficer, events).flags[0]),
                ),
            ),
        ),
    ),
    questions=(QuestionDefinition(RULE, PARTNER, approved_by_officer, denied_by_officers),),
    rules=(
        rule(
            REMOVAL_ORDER,
            Words("removal order", "orden de expulsión"),
            {
                "none-within-years": Words("none within the years", "ninguna en los años previstos"),
                "ordered-within-years": Words("ordered within the years", "dictada en los años previstos"),
            },
            removal_order,
            "authorization",
            parameters=RemovalOrder,
            facts=("findings",),
        ),
        rule(
            RULE,
            Words("security vetting", "revisión de seguridad"),
            {"cleared": Words("cleared", "superada"), "not-cleared": Words("not cleared", "no superada")},
            vetting,
            "authorization",
            facts=("findings", "by_officer"),
        ),
    ),
    carry_on=request_vetting,
    done=is_cleared,
)
