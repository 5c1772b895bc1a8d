"""What each event makes of a case, and the stage as it is declared."""

from domain.humanitarian_parole.stages.vetting.decisions import (
    RemovalOrder,
    approved_by_officer,
    check_of,
    denied_by_officers,
    is_cleared,
    news_cleared,
    news_hit,
    news_referred,
    on_cleared,
    on_hit,
    on_referred,
    removal_order,
    request_vetting,
    vetting,
)
from domain.humanitarian_parole.stages.vetting.events import (
    SecurityVetting,
    VettingCleared,
    VettingDenied,
    VettingRequested,
)
from domain.humanitarian_parole.stages.vetting.messages import (
    PARTNER,
    REMOVAL_ORDER,
    RULE,
    VettingCheck,
    VettingClearedAnswer,
    VettingHitAnswer,
    VettingReferredAnswer,
)
from domain.kernel.case import Case, answered, asked, replace, settled, with_part
from domain.kernel.definition import (
    PartnerDefinition,
    QuestionDefinition,
    Stage,
    Words,
    also,
    answer,
    event,
    first_of,
    name_of,
    report,
    retractable,
    rule,
)
from domain.kernel.events import CaseReopened, FactRetracted, ReferredToOfficer
from domain.kernel.referrals import OFFICER_APPROVED, OFFICERS_DENIED


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


def _retracted(case: Case, event: FactRetracted) -> Case:
    """A first answer that is taken back is asked again."""
    silent = case.request_to(PARTNER) is None and not case.has_referral(RULE)
    vetted = case.of(SecurityVetting)
    if event.kind not in _KINDS or vetted.cleared or not vetted.asked or not silent:
        return case
    return with_part(case, replace(vetted, asked=False))


def _reopened(case: Case, event: CaseReopened) -> Case:
    del event
    asking = case.closing is not None and PARTNER in case.closing.partners
    return with_part(case, replace(case.of(SecurityVetting), asked=False)) if asking else case


_KINDS = tuple(name_of(kind) for kind in (VettingReferredAnswer, VettingHitAnswer))

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
        also(FactRetracted, _retracted),
        also(CaseReopened, _reopened),
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
                    news=news_cleared,
                ),
                retractable(
                    answer(
                        VettingReferredAnswer,
                        on_referred,
                        "Vetting asks that an officer looks.",
                        {"flags": ["alias"]},
                        said=lambda events: VettingReferredAnswer(flags=first_of(ReferredToOfficer, events).flags),
                        news=news_referred,
                    )
                ),
                retractable(
                    answer(
                        VettingHitAnswer,
                        on_hit,
                        "Somebody of that description is on a list: an officer looks.",
                        {"kind": "name-match"},
                        said=lambda events: VettingHitAnswer(kind=first_of(ReferredToOfficer, events).flags[0]),
                        news=news_hit,
                    )
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
            {
                "cleared": Words("cleared", "superada"),
                "not-cleared": Words("not cleared", "no superada"),
                "officer-approved": OFFICER_APPROVED,
                "officer-denied": OFFICERS_DENIED,
            },
            vetting,
            "authorization",
            facts=("findings", "by_officer"),
        ),
    ),
    carry_on=request_vetting,
    done=is_cleared,
)
