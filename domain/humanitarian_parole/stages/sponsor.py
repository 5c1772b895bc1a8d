"""Sponsor confirmation: the registry's answers, a supporter who withdraws, and one who takes their place."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from domain.humanitarian_parole.application import ERASED_SUPPORTER, PersonReference, Supporter
from domain.humanitarian_parole.stages.entry import EntryRefused
from domain.humanitarian_parole.stages.filing import ApplicationFiled, application_of, beneficiary_of
from domain.humanitarian_parole.stages.mexico_entry import RULE as MEXICO_ENTRY
from domain.humanitarian_parole.stages.travel import Travel, hold
from domain.humanitarian_parole.world import Draft, World
from domain.kernel.calendar import Deadline, paused_due
from domain.kernel.case import Case, Request, answered, asked, replace, settled, with_part, without_answers_of
from domain.kernel.definition import (
    Events,
    LimitDefinition,
    PartnerDefinition,
    QuestionDefinition,
    RuleDefinition,
    Stage,
    Words,
    also,
    answer,
    event,
    first_of,
    message,
)
from domain.kernel.events import CaseClosed, CaseEvent, FreeText, Personal, ReferredToOfficer, RuleResult
from domain.kernel.ids import EventId, MessageId
from domain.kernel.messages import Flags, Message, PartnerAnswer, PartnerCheck, Rejection, TakeMessage
from domain.kernel.programme import Programme
from domain.kernel.referrals import OFFICER_APPROVED, refer
from domain.kernel.rule_set import RuleParameters, RuleSet

PARTNER = "sponsor_registry"
RULE = "supporter"


class SponsorCheck(PartnerCheck):
    """Is this supporter who they say, able to support, and do they support this beneficiary?"""

    supporter: Supporter
    beneficiary: PersonReference

    @property
    def subject(self) -> str:
        """The number of the beneficiary's passport."""
        return self.beneficiary.passport_number


class SponsorConfirmedAnswer(PartnerAnswer):
    """The registry confirms the supporter."""

    SENDERS = (PARTNER,)
    message: Literal["sponsor.confirmed"] = "sponsor.confirmed"


class SponsorNotConfirmedAnswer(PartnerAnswer):
    """The registry does not confirm the supporter."""

    SENDERS = (PARTNER,)
    message: Literal["sponsor.not_confirmed"] = "sponsor.not_confirmed"
    why: FreeText = ""


class SponsorNeedsReviewAnswer(PartnerAnswer):
    """The registry asks that an officer looks."""

    SENDERS = (PARTNER,)
    message: Literal["sponsor.needs_review"] = "sponsor.needs_review"
    flags: Flags = ()


class SponsorWithdrewNotice(Message):
    """The supporter steps back."""

    SENDERS = ("supporter",)
    message: Literal["sponsor.withdrew"] = "sponsor.withdrew"


class SponsorReplacement(Message):
    """The applicant names another supporter."""

    SENDERS = ("applicant",)
    message: Literal["sponsor.replaced"] = "sponsor.replaced"
    supporter: Supporter


class SponsorConfirmationRequested(CaseEvent):
    """The registry was asked; the first time, with the rules that need only what was filed as its basis."""

    request_id: MessageId


class SponsorConfirmed(CaseEvent):
    """The supporter is confirmed, by the registry or by an officer."""

    by_officer: bool = False


class SponsorNotConfirmed(CaseEvent):
    """The supporter is not confirmed."""

    by_officer: bool = False
    why: Annotated[FreeText, Personal(erased="")] = ""


class SponsorWithdrew(CaseEvent):
    """A supporter stepped back; before parole the applicant has a limit to name another."""


class SponsorReplaced(CaseEvent):
    """Another supporter was named."""

    supporter: Annotated[Supporter, Personal(erased=ERASED_SUPPORTER)]


@dataclass(frozen=True)
class Sponsor:
    """Who stands behind the case, and whether the registry confirmed them."""

    admitted: bool = False
    """The rules that need only what was filed have passed."""
    confirmed: bool = False
    supporter: Supporter | None = None
    """None after the supporter withdrew, until another is named."""
    fact: EventId | None = None
    gone_at: datetime | None = None
    """When the supporter withdrew, while the applicant may name another."""


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
    """The registry does not confirm: the case closes."""
    not_confirmed = SponsorNotConfirmed(at=draft.now, why=message.why)
    return (not_confirmed, *draft.closing("not_confirmed", RULE))


def on_needs_review(draft: Draft, message: SponsorNeedsReviewAnswer) -> Events:
    """The registry asks that an officer looks."""
    return refer(draft, RULE, message.flags or ("needs-review",))


def approved_by_officer(draft: Draft) -> Events:
    """An officer approved the supporter."""
    basis = draft.basis(_result(draft.case, "passed", "officer-approved"))
    return (SponsorConfirmed(at=draft.now, basis=basis, by_officer=True),)


def denied_by_officers(draft: Draft, number: int) -> Events:
    """Two officers denied the supporter."""
    del number
    return (SponsorNotConfirmed(at=draft.now, by_officer=True), *draft.closing("denied", RULE))


def withdraw_sponsor(draft: Draft, message: SponsorWithdrewNotice, command: TakeMessage) -> None:
    """The supporter steps back; after parole this changes nothing but the record.

    Raises:
        Rejection: no supporter stands behind the case.
    """
    del message
    if draft.case.of(Sponsor).supporter is None:
        raise Rejection("no-supporter")
    draft.add(SponsorWithdrew(at=draft.not_before(command.received_at)))
    hold(draft, "supporter", draft.not_before(command.received_at))


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
    draft.add(*draft.closing("not_confirmed", "supporter-withdrew"))


def running(case: Case, rules: RuleSet, programme: Programme) -> Iterable[Deadline]:
    """The limit to name another supporter."""
    gone_at = case.of(Sponsor).gone_at
    if gone_at is not None and not programme.suspended:
        due = paused_due(gone_at, rules.limit("supporter"), programme.pauses, rules.pause_floor)
        if due is not None:
            yield Deadline(due, "supporter")


def _filed(case: Case, event: ApplicationFiled) -> Case:
    return with_part(case, Sponsor(supporter=event.application.supporter, fact=case.next_event_id))


def _requested(case: Case, event: SponsorConfirmationRequested) -> Case:
    requests = asked(case, PARTNER, event.request_id, event.at)
    return with_part(case, replace(case.of(Sponsor), admitted=True), requests=requests)


def _confirmed(case: Case, event: SponsorConfirmed) -> Case:
    del event
    return with_part(
        case,
        replace(case.of(Sponsor), confirmed=True),
        requests=answered(case, PARTNER),
        referrals=settled(case, RULE),
        stage="proof_of_entry",
    )


def _not_confirmed(case: Case, event: SponsorNotConfirmed) -> Case:
    del event
    return replace(case, requests=answered(case, PARTNER))


def _withdrew(case: Case, event: SponsorWithdrew) -> Case:
    sponsor, travel = case.of(Sponsor), case.of(Travel)
    if travel.used_at:
        return with_part(case, replace(sponsor, supporter=None))
    case = with_part(case, replace(sponsor, supporter=None, confirmed=False, gone_at=event.at))
    if travel.waitlisted_at:
        case = with_part(case, replace(travel, waitlisted_at=None))
    return replace(
        case,
        requests=answered(case, PARTNER),
        referrals=tuple(r for r in case.referrals if r.settled or r.question != RULE),
        held_answers=without_answers_of(case, PARTNER),
    )


def _replaced(case: Case, event: SponsorReplaced) -> Case:
    sponsor = replace(case.of(Sponsor), supporter=event.supporter, fact=case.next_event_id, gone_at=None)
    return with_part(case, sponsor)


STAGE = Stage(
    name="sponsor_confirmation",
    title=Words("confirmation of the supporter", "confirmación de la persona de apoyo"),
    events=(
        also(ApplicationFiled, _filed),
        event(
            SponsorConfirmationRequested,
            _requested,
            Words(
                "The supporter registry was asked about the supporter.",
                "Se consultó al registro sobre la persona de apoyo.",
            ),
        ),
        event(
            SponsorConfirmed,
            _confirmed,
            Words("The supporter is confirmed.", "La persona de apoyo quedó confirmada."),
        ),
        event(
            SponsorNotConfirmed,
            _not_confirmed,
            Words("The supporter is not confirmed.", "La persona de apoyo no fue confirmada."),
        ),
        event(
            SponsorWithdrew,
            _withdrew,
            Words("The supporter withdrew.", "La persona de apoyo se retiró."),
            lengths=("supporter",),
        ),
        event(
            SponsorReplaced,
            _replaced,
            Words("Another supporter was named.", "Se nombró a otra persona de apoyo."),
        ),
    ),
    messages=(
        message(SponsorWithdrewNotice, withdraw_sponsor, "The supporter steps back.", {}, ends=True),
        message(
            SponsorReplacement,
            replace_sponsor,
            "The applicant names another supporter.",
            said=lambda events: SponsorReplacement(supporter=first_of(SponsorReplaced, events).supporter),
        ),
    ),
    partners=(
        PartnerDefinition(
            PARTNER,
            Words("the supporter registry", "el registro de personas de apoyo"),
            waiting_on="sponsor",
            asks=SponsorCheck,
            check=check_of,
            answers=(
                answer(SponsorConfirmedAnswer, on_confirmed, "The registry confirms the supporter."),
                answer(
                    SponsorNotConfirmedAnswer,
                    on_not_confirmed,
                    "The registry does not confirm the supporter: closes.",
                    {"why": "income-too-low"},
                    said=lambda events: SponsorNotConfirmedAnswer(why=first_of(SponsorNotConfirmed, events).why),
                ),
                answer(
                    SponsorNeedsReviewAnswer,
                    on_needs_review,
                    "The registry asks that an officer looks.",
                    {"flags": ["income"]},
                    said=lambda events: SponsorNeedsReviewAnswer(flags=first_of(ReferredToOfficer, events).flags),
                ),
            ),
        ),
    ),
    questions=(QuestionDefinition(RULE, PARTNER, approved_by_officer, denied_by_officers),),
    limits=(LimitDefinition("supporter", end_supporter_limit, "another supporter is awaited"),),
    lengths=("supporter",),
    rules=(
        RuleDefinition(
            RULE,
            Words("supporter", "persona de apoyo"),
            {
                "registry-confirmed": Words("the registry confirms", "el registro confirma"),
                "officer-approved": OFFICER_APPROVED,
                "many-cases": Words("the supporter has many cases", "la persona de apoyo tiene muchos casos"),
                "shared-tax-id": Words(
                    "another supporter has the tax number", "otra persona de apoyo tiene el número fiscal"
                ),
                "shared-phone": Words("another supporter has the telephone", "otra persona de apoyo tiene el teléfono"),
                "shared-address": Words(
                    "another supporter has the address", "otra persona de apoyo tiene el domicilio"
                ),
            },
            parameters=SupporterReview,
            facts=("application.supporter", "supporter"),
        ),
    ),
    outcomes={
        "not_confirmed": Words("supporter not confirmed", "persona de apoyo no confirmada"),
    },
    reasons={
        "supporter-withdrew": Words("the supporter withdrew", "la persona de apoyo se retiró"),
    },
    carry_on=request_confirmation,
    done=lambda case: case.of(Sponsor).confirmed,
)
