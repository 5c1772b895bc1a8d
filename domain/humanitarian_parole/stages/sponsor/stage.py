"""What each event makes of a case, and the stage as it is declared."""

from domain.humanitarian_parole.stages.filing import ApplicationFiled
from domain.humanitarian_parole.stages.sponsor.decisions import (
    SupporterReview,
    approved_by_officer,
    check_of,
    denied_by_officers,
    end_supporter_limit,
    news_needs_review,
    news_not_confirmed,
    on_confirmed,
    on_needs_review,
    on_not_confirmed,
    replace_sponsor,
    request_confirmation,
    withdraw_sponsor,
)
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
from domain.humanitarian_parole.stages.travel import Travel
from domain.kernel.case import Case, answered, asked, replace, settled, with_part, without_answers_of
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
    retractable,
)
from domain.kernel.events import FactRetracted, ReferredToOfficer
from domain.kernel.referrals import OFFICER_APPROVED, OFFICERS_DENIED


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
    doubted = any(r.question == RULE and not r.settled for r in case.referrals)
    lost = replace(sponsor, confirmed=sponsor.confirmed and not doubted)
    gone = replace(sponsor, supporter=None, confirmed=False, gone_at=event.at, lost=lost, lost_fact=event.fact)
    case = with_part(case, gone)
    if travel.waitlisted_at and not travel.lapsed_at:
        case = with_part(case, replace(travel, waitlisted_at=None))
    return replace(
        case,
        requests=answered(case, PARTNER),
        referrals=tuple(r for r in case.referrals if r.settled or r.question != RULE),
        held_answers=without_answers_of(case, PARTNER),
    )


def _replaced(case: Case, event: SponsorReplaced) -> Case:
    sponsor = replace(case.of(Sponsor), supporter=event.supporter, fact=case.next_event_id, gone_at=None)
    return with_part(case, replace(sponsor, lost=None, lost_fact=None))


def _retracted(case: Case, event: FactRetracted) -> Case:
    """The supporter is not gone after all, and nobody took their place: they stand where they stood."""
    sponsor = case.of(Sponsor)
    if sponsor.lost is None or sponsor.lost_fact != event.fact:
        return case
    return with_part(case, sponsor.lost)


def _not_confirmed_said(events: Events) -> SponsorNotConfirmedAnswer:
    if any(isinstance(each, SponsorWithdrew) for each in events):
        return SponsorNotConfirmedAnswer(why=DECEASED)
    return SponsorNotConfirmedAnswer(why=first_of(SponsorNotConfirmed, events).why)


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
        also(FactRetracted, _retracted),
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
                retractable(
                    answer(
                        SponsorNotConfirmedAnswer,
                        on_not_confirmed,
                        "The registry does not confirm the supporter: closes, or an officer looks if it had confirmed.",
                        {"why": "income-too-low"},
                        said=_not_confirmed_said,
                        news=news_not_confirmed,
                        waits=lambda said: said.why != DECEASED,
                    )
                ),
                retractable(
                    answer(
                        SponsorNeedsReviewAnswer,
                        on_needs_review,
                        "The registry asks that an officer looks.",
                        {"flags": ["income"]},
                        said=lambda events: SponsorNeedsReviewAnswer(flags=first_of(ReferredToOfficer, events).flags),
                        news=news_needs_review,
                    )
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
                "registry-not-confirmed": Words("the registry does not confirm", "el registro no confirma"),
                "officer-approved": OFFICER_APPROVED,
                "officer-denied": OFFICERS_DENIED,
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
    in_doubt=True,
    done=lambda case: case.of(Sponsor).confirmed and case.request_to(PARTNER) is None,
)
