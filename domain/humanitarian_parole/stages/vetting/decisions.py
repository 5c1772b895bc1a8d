"""What follows from the service's answers and from officers, and the rules on what was found."""

from domain.humanitarian_parole.stages.filing import beneficiary_of
from domain.humanitarian_parole.stages.vetting.events import (
    SecurityVetting,
    VettingCleared,
    VettingDenied,
    VettingRequested,
)
from domain.humanitarian_parole.stages.vetting.messages import (
    REMOVAL_ORDER,
    RULE,
    VettingCheck,
    VettingClearedAnswer,
    VettingHitAnswer,
    VettingReferredAnswer,
)
from domain.humanitarian_parole.world import Draft, World
from domain.kernel.calendar import day_of, years_after
from domain.kernel.case import Case, Request
from domain.kernel.definition import (
    Events,
)
from domain.kernel.events import RuleResult
from domain.kernel.messages import Rejection
from domain.kernel.referrals import refer
from domain.kernel.rule_set import RuleParameters


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


def news_referred(draft: Draft, message: VettingReferredAnswer) -> Events:
    """Vetting asks, after it answered, that an officer looks."""
    return refer(draft, RULE, message.flags or ("referred",), answer=message, news=True)


def news_hit(draft: Draft, message: VettingHitAnswer) -> Events:
    """A hit that nobody asked for: an officer weighs it."""
    return refer(draft, RULE, (message.kind,), answer=message, news=True)


def news_cleared(draft: Draft, message: VettingClearedAnswer) -> Events:
    """A finding that nobody asked for is no clearance: an officer looks.

    Raises:
        Rejection: there is none, and nobody asked.
    """
    if not message.findings:
        raise Rejection("no-open-request")
    flags = tuple(dict.fromkeys(finding.kind for finding in message.findings))
    return refer(draft, RULE, flags, answer=message, news=True)


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
    basis = draft.basis(_by_officers(draft.case, passed=True))
    return (VettingCleared(at=draft.now, basis=basis, by_officer=True),)


def denied_by_officers(draft: Draft, number: int) -> Events:
    """Two officers denied."""
    basis = draft.basis(_by_officers(draft.case, passed=False))
    denied = VettingDenied(at=draft.now, basis=basis, number=number)
    return (denied, *draft.closing("denied", RULE, basis, referral=number))


def _by_officers(case: Case, *, passed: bool) -> RuleResult:
    fact = case.of(SecurityVetting).fact
    return RuleResult(
        rule=RULE,
        result="passed" if passed else "failed",
        because="officer-approved" if passed else "officer-denied",
        facts=() if fact is None else (fact,),
    )


def is_cleared(case: Case) -> bool:
    """Vetting is cleared, and nothing about the case is asked of anybody."""
    return case.of(SecurityVetting).cleared and not case.requests and not case.open_referrals
