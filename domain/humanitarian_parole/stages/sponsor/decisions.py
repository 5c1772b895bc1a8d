"""What follows: from the registry's answers, from officers, and from a supporter who withdraws."""

from collections.abc import Iterable
from datetime import datetime

from domain.humanitarian_parole.application import PersonReference
from domain.humanitarian_parole.stages.entry import EntryRefused
from domain.humanitarian_parole.stages.filing import application_of, beneficiary_of
from domain.humanitarian_parole.stages.mexico_entry import RULE as MEXICO_ENTRY
from domain.humanitarian_parole.stages.sponsor.events import (
    Sponsor,
    SponsorConfirmationRequested,
    SponsorConfirmed,
    SponsorNotConfirmed,
    SponsorReplaced,
    SponsorWithdrew,
)
from domain.humanitarian_parole.stages.sponsor.messages import (
    DECEASED,
    PARTNER,
    RULE,
    SponsorCheck,
    SponsorConfirmedAnswer,
    SponsorNeedsReviewAnswer,
    SponsorNotConfirmedAnswer,
    SponsorReplacement,
    SponsorWithdrewNotice,
)
from domain.humanitarian_parole.stages.travel import holding
from domain.humanitarian_parole.world import Draft, World
from domain.kernel.calendar import Deadline, paused_due
from domain.kernel.case import Case, Request
from domain.kernel.definition import (
    Events,
)
from domain.kernel.events import CaseClosed, RuleResult
from domain.kernel.ids import EventId
from domain.kernel.messages import Rejection, TakeMessage
from domain.kernel.programme import Programme
from domain.kernel.referrals import refer
from domain.kernel.rule_set import RuleParameters, RuleSet


class SupporterReview(RuleParameters):
    """From which case of the same supporter on an officer looks."""

    review_from_case: int


def supporter_flags(world: World) -> tuple[str, ...]:
    """Codes for what an officer should look at; none when nothing stands out, or where the set does not ask."""
    if RULE not in world.rules.rules:
        return ()
    threshold = world.rules.of(RULE, SupporterReview).review_from_case
    many = world.earlier_supporter_cases + 1 >= threshold
    shared = tuple(f"shared-{detail.replace('_', '-')}" for detail in world.shared_details)
    return (*(("many-cases",) if many else ()), *shared)


def supporter(case: Case, world: World) -> RuleResult:
    """The registry confirms, and nothing calls for an officer."""
    flags = supporter_flags(world)
    return _result(case, "referred" if flags else "passed", flags[0] if flags else "registry-confirmed")


def _result(case: Case, result: str, because: str) -> RuleResult:
    fact = case.of(Sponsor).fact
    return RuleResult(rule=RULE, result=result, because=because, facts=() if fact is None else (fact,))


def check_of(case: Case, request: Request) -> SponsorCheck:
    """What the registry is asked."""
    return SponsorCheck(
        request_id=request.request_id,
        case_id=case.case_id,
        requested_at=request.at,
        supporter=case.of(Sponsor).supporter or application_of(case).supporter,
        beneficiary=PersonReference.of(beneficiary_of(case)),
    )


def admit(draft: Draft) -> Events:
    """Judge what was filed: close, or ask the registry about the supporter, if one still stands behind the case."""
    sponsor = draft.case.of(Sponsor)
    if sponsor.admitted:
        return ()
    results = draft.family.tried("filing", draft.case, draft.world)
    basis = draft.basis(*results)
    failed = next((result.rule for result in results if result.result == "failed"), None)
    if failed is None:
        if sponsor.supporter is None:
            return ()
        return (SponsorConfirmationRequested(at=draft.now, request_id=draft.case.next_event_id, basis=basis),)
    outcome = "duplicate" if failed == "one-active-case" else "ineligible"
    closed = CaseClosed(at=draft.now, outcome=outcome, reason=failed, basis=basis)
    return (EntryRefused(at=draft.now, basis=basis), closed) if failed == MEXICO_ENTRY else (closed,)


def request_confirmation(draft: Draft) -> Events:
    """Ask the registry about a supporter who took another's place, unless it or an officer is being asked."""
    case, sponsor = draft.case, draft.case.of(Sponsor)
    if not sponsor.admitted or sponsor.supporter is None or case.request_to(PARTNER) or case.has_referral(RULE):
        return ()
    return (SponsorConfirmationRequested(at=draft.now, request_id=case.next_event_id),)


def on_confirmed(draft: Draft, message: SponsorConfirmedAnswer) -> Events:
    """The registry confirms; what stands out against earlier cases still goes to an officer."""
    del message
    result = supporter(draft.case, draft.world)
    basis = draft.basis(result)
    if result.result == "referred":
        return refer(draft, RULE, supporter_flags(draft.world), basis=basis)
    return (SponsorConfirmed(at=draft.now, basis=basis),)


def on_not_confirmed(draft: Draft, message: SponsorNotConfirmedAnswer) -> Events:
    """The registry does not confirm: the case closes, or the supporter died, and another is wanted."""
    if message.why == DECEASED:
        return _gone(draft, draft.now, draft.fact)
    basis = draft.basis(_result(draft.case, "failed", "registry-not-confirmed"))
    not_confirmed = SponsorNotConfirmed(at=draft.now, basis=basis, why=message.why)
    return (not_confirmed, *draft.closing("not_confirmed", RULE, basis, facts=(draft.fact,)))


def on_needs_review(draft: Draft, message: SponsorNeedsReviewAnswer) -> Events:
    """The registry asks that an officer looks."""
    return refer(draft, RULE, message.flags or ("needs-review",))


def news_not_confirmed(draft: Draft, message: SponsorNotConfirmedAnswer) -> Events:
    """The registry says so of a supporter whom it had confirmed: an officer looks, or the supporter died.

    Raises:
        Rejection: no supporter stands behind the case.
    """
    _require_supporter(draft)
    if message.why == DECEASED:
        return _gone(draft, draft.now, draft.fact)
    return refer(draft, RULE, ("not-confirmed",), answer=message, news=True)


def news_needs_review(draft: Draft, message: SponsorNeedsReviewAnswer) -> Events:
    """The registry asks, after it answered, that an officer looks. Raises as `news_not_confirmed`."""
    _require_supporter(draft)
    return refer(draft, RULE, message.flags or ("needs-review",), answer=message, news=True)


def _require_supporter(draft: Draft) -> None:
    if draft.case.of(Sponsor).supporter is None:
        raise Rejection("no-supporter")


def approved_by_officer(draft: Draft) -> Events:
    """An officer approved the supporter."""
    basis = draft.basis(_result(draft.case, "passed", "officer-approved"))
    return (SponsorConfirmed(at=draft.now, basis=basis, by_officer=True),)


def denied_by_officers(draft: Draft, number: int) -> Events:
    """Two officers denied the supporter."""
    basis = draft.basis(_result(draft.case, "failed", "officer-denied"))
    denied = SponsorNotConfirmed(at=draft.now, basis=basis, by_officer=True)
    return (denied, *draft.closing("denied", RULE, basis, referral=number))


def withdraw_sponsor(draft: Draft, message: SponsorWithdrewNotice, command: TakeMessage) -> None:
    """The supporter steps back; after parole this changes nothing but the record.

    Raises:
        Rejection: no supporter stands behind the case.
    """
    del message
    _require_supporter(draft)
    draft.add(*_gone(draft, draft.not_before(command.received_at), None))


def _gone(draft: Draft, at: datetime, fact: EventId | None) -> Events:
    """The supporter is gone: 30 days to name another, and meanwhile nobody travels."""
    return (SponsorWithdrew(at=at, fact=fact), *holding(draft, "supporter", at))


def replace_sponsor(draft: Draft, message: SponsorReplacement, command: TakeMessage) -> None:
    """The applicant names another supporter, who is confirmed anew.

    Raises:
        Rejection: no supporter withdrew, or the limit to name another is over.
    """
    if draft.case.of(Sponsor).gone_at is None:
        raise Rejection("no-supporter-wanted")
    draft.add(SponsorReplaced(at=draft.not_before(command.received_at), supporter=message.supporter))


def end_supporter_limit(draft: Draft, due_at: datetime) -> None:
    """Nobody took the supporter's place in time."""
    del due_at
    facts = (draft.case.of(Sponsor).lost_fact,)
    draft.add(*draft.closing("not_confirmed", "supporter-withdrew", facts=facts))


def running(case: Case, rules: RuleSet, programme: Programme) -> Iterable[Deadline]:
    """The limit to name another supporter."""
    gone_at = case.of(Sponsor).gone_at
    if gone_at is not None and not programme.suspended:
        due = paused_due(gone_at, rules.limit("supporter"), programme.pauses, rules.pause_floor, case.stops)
        if due is not None:
            yield Deadline(due, "supporter")
