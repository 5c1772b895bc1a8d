"""Referrals: people look, two must deny, and nothing decides by itself."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from domain.kernel.calendar import Deadline, paused_due
from domain.kernel.case import Case, Referral, answered, replace
from domain.kernel.decider import Draft
from domain.kernel.definition import (
    Events,
    LimitDefinition,
    QuestionDefinition,
    Stage,
    Wait,
    Words,
    event,
    first_of,
    message,
)
from domain.kernel.events import (
    Basis,
    CaseReopened,
    OfficerDecided,
    OfficerDecisionConfirmed,
    ReconsiderationRequested,
    ReferralEscalated,
    ReferredToOfficer,
)
from domain.kernel.messages import (
    OfficerConfirmation,
    OfficerDecision,
    PartnerAnswer,
    Rejection,
    TakeMessage,
    kept,
    proved_officer,
    with_reason,
)
from domain.kernel.rule_set import RuleSet
from domain.kernel.taking_back import confirm_reconsideration

LIMIT = "referral"
OFFICER_APPROVED = Words("an officer approved", "un oficial aprobó")
"""Why a rule passed that an officer was asked about."""
OFFICERS_DENIED = Words("officers denied", "los oficiales negaron")
"""Why it failed."""


def _code(flag: str) -> str:
    """The flag itself where it is a plain code; a partner's free text is not repeated in public."""
    plain = flag.isascii() and flag == flag.lower() and flag.replace("-", "").replace("_", "").isalnum()
    return flag if plain and flag[0].isalnum() and len(flag) <= 64 else "other"


def refer(
    draft: Draft[Any],
    question: str,
    flags: Iterable[str],
    *,
    prefix: str = "",
    basis: Basis | None = None,
    answer: PartnerAnswer | None = None,
    news: bool = False,
) -> Events:
    """Put `question` before an officer, with what gave rise to it; `prefix` begins the public code of each flag.

    `answer` is a partner's that says more than the flags, or that nobody asked for (`news`).
    """
    flags = tuple(flags)
    return (
        ReferredToOfficer(
            at=draft.now,
            number=draft.case.referral_count + 1,
            question=question,
            codes=tuple(dict.fromkeys(_code(prefix + flag) for flag in flags)),
            basis=basis,
            flags=flags,
            answer=None if answer is None else kept(answer),
            news=news,
            fact=draft.fact,
        ),
    )


def _open(draft: Draft[Any], number: int | None) -> Referral:
    """The referral of this number, or the only one."""
    found = [referral for referral in draft.case.open_referrals if number in (None, referral.number)]
    if not found:
        raise Rejection("no-open-referral")
    if len(found) > 1:
        raise Rejection("which-referral")
    return found[0]


def record_decision(draft: Draft[Any], message: OfficerDecision, command: TakeMessage) -> None:
    """An officer answers an open referral; a denial not yet confirmed is replaced.

    Raises:
        Rejection: no such referral is open, several are and none is named, there is no reason, or no officer is proved.
    """
    draft.add(
        OfficerDecided(
            at=draft.not_before(command.received_at),
            number=_open(draft, message.referral).number,
            officer=proved_officer(command),
            decision=message.decision,
            why=with_reason(message.why),
        )
    )


def _said(events: Events) -> OfficerDecision:
    decided = first_of(OfficerDecided, events)
    given = decided.model_dump(include={"officer", "decision", "why"})
    return OfficerDecision.model_validate({**given, "referral": decided.number})


def confirm_denial(draft: Draft[Any], message: OfficerConfirmation, command: TakeMessage) -> None:
    """A second officer confirms a denial; in a closed case, that it be opened again.

    Raises:
        Rejection: no such referral is open or it is not denied, several are open and none is named, no officer is
            proved, or it is the same officer.
    """
    if draft.case.closed:
        confirm_reconsideration(draft, message, command)
        return
    referral, officer = _open(draft, message.referral), proved_officer(command)
    if referral.decision != "deny":
        raise Rejection("no-denial-to-confirm")
    if referral.officer == officer:
        raise Rejection("same-officer")
    at = draft.not_before(command.received_at)
    draft.add(OfficerDecisionConfirmed(at=at, number=referral.number, officer=officer))


def _confirmation(events: Events) -> OfficerConfirmation:
    for each in events:
        if isinstance(each, OfficerDecisionConfirmed):
            return OfficerConfirmation(officer=each.officer, referral=each.number)
        if isinstance(each, CaseReopened | ReconsiderationRequested) and each.second_officer:
            return OfficerConfirmation(officer=each.second_officer)
    raise ValueError("no confirmation among the events")


def escalate(draft: Draft[Any], due_at: datetime) -> None:
    """Record, once a referral, that its limit passed with no answer."""
    for referral in draft.case.open_referrals:
        if not referral.escalated and _due(draft.case, referral, draft.world.rules) <= due_at:
            draft.add(ReferralEscalated(at=draft.not_before(due_at), number=referral.number))


def running(case: Case, rules: RuleSet) -> Iterable[Deadline]:
    """The limits of open referrals that have not escalated."""
    return (Deadline(_due(case, referral, rules), LIMIT) for referral in case.open_referrals if not referral.escalated)


def overdue(case: Case, rules: RuleSet) -> Iterable[Deadline]:
    """The limits of open referrals that have escalated: over until somebody acts."""
    return (Deadline(_due(case, referral, rules), LIMIT) for referral in case.open_referrals if referral.escalated)


def _due(case: Case, referral: Referral, rules: RuleSet) -> datetime:
    """When an officer's answer is due; pauses of the programme do not count, times when the case was closed do."""
    due = paused_due(referral.since, rules.limit(LIMIT), (), timedelta(), case.stops)
    return referral.since if due is None else due


def follow_officers(draft: Draft[Any]) -> Events:
    """What officers decided and has not taken effect: a denial that a second one confirmed, or an approval.

    An approval waits until no other referral of the same question is open.
    """
    decided = [referral for referral in draft.case.referrals if not (referral.settled or referral.open)]
    for referral in decided:
        if not referral.approved:
            return draft.family.questions[referral.question].denied(draft, referral.number)
    doubted = {referral.question for referral in draft.case.open_referrals}
    for referral in decided:
        if referral.question not in doubted:
            return draft.family.questions[referral.question].approved(draft)
    return ()


def _with_referral(case: Case, number: int, **changes: Any) -> Case:  # fields of Referral, checked by it
    return replace(case, referrals=tuple(replace(r, **changes) if r.number == number else r for r in case.referrals))


def _escalated(case: Case, event: ReferralEscalated) -> Case:
    return _with_referral(case, event.number, escalated=True)


def _decided(case: Case, event: OfficerDecided) -> Case:
    case = replace(case, officers=(*case.officers, event.officer))
    return _with_referral(case, event.number, officer=event.officer, decision=event.decision, confirmed=False)


def _confirmed(case: Case, event: OfficerDecisionConfirmed) -> Case:
    return _with_referral(replace(case, officers=(*case.officers, event.officer)), event.number, confirmed=True)


def stage_of_officers(questions: Iterable[QuestionDefinition]) -> Stage:
    """What officers do in every family, given what they may be asked in this one."""
    asked_about = {question.name: question.partner for question in questions}

    def referred(case: Case, event: ReferredToOfficer) -> Case:
        partner = None if event.news else asked_about.get(event.question)
        referral = Referral(event.number, event.question, event.at, codes=event.codes, fact=event.fact)
        return replace(
            case,
            referrals=(*case.referrals, referral),
            referral_count=event.number,
            flags=(*case.flags, *(code for code in event.codes if code not in case.flags)),
            requests=answered(case, partner) if partner else case.requests,
        )

    return Stage(
        name=None,
        events=(
            event(
                ReferredToOfficer,
                referred,
                Words(
                    "Question {number} was put to an officer: {question}. {codes}",
                    "Se remitió la pregunta {number} a un oficial: {question}. {codes}",
                ),
            ),
            event(
                ReferralEscalated,
                _escalated,
                Words(
                    "The limit of question {number} passed; it is still open.",
                    "Venció el plazo de la pregunta {number}, que sigue abierta.",
                ),
                lengths=(LIMIT,),
            ),
            event(
                OfficerDecided,
                _decided,
                Words(
                    "Officer {officer} decided question {number}: {decision}.",
                    "El oficial {officer} resolvió la pregunta {number}: {decision}.",
                ),
                codes={"approve": Words("approved", "aprobada"), "deny": Words("denied", "negada")},
            ),
            event(
                OfficerDecisionConfirmed,
                _confirmed,
                Words(
                    "Officer {officer} confirmed the denial of question {number}.",
                    "El oficial {officer} confirmó la negativa de la pregunta {number}.",
                ),
            ),
        ),
        messages=(
            message(
                OfficerDecision,
                record_decision,
                "An officer decides an open referral, by its number; a denial waits for a second officer.",
                {"officer": "o-1", "decision": "deny", "why": "name-match", "referral": 1},
                said=_said,
            ),
            message(
                OfficerConfirmation,
                confirm_denial,
                "A second officer confirms a denial: closes. Or that a denied case be opened again.",
                {"officer": "o-2", "referral": 1},
                said=_confirmation,
                after_close=True,
            ),
        ),
        senders={"officer": Words("an officer", "un oficial")},
        waits={
            "officer": Wait(
                Words("an officer", "un oficial"),
                "an officer decides: `officer.decided`, and for a denial `officer.confirmed` by a second officer",
            ),
        },
        limits=(LimitDefinition(LIMIT, escalate, "an officer's answer is awaited"),),
        lengths=(LIMIT,),
    )
