"""Referrals: people look, two must deny, and nothing decides by itself."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from domain.kernel.calendar import Deadline
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
from domain.kernel.events import Basis, OfficerDecided, OfficerDecisionConfirmed, ReferralEscalated, ReferredToOfficer
from domain.kernel.ids import OfficerRef
from domain.kernel.messages import OfficerConfirmation, OfficerDecision, PartnerAnswer, Rejection, TakeMessage, kept
from domain.kernel.rule_set import RuleSet

LIMIT = "referral"
OFFICER_APPROVED = Words("an officer approved", "un oficial aprobó")
"""Why a rule passed that an officer was asked about."""


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
) -> Events:
    """Put `question` before an officer, with what gave rise to it; `prefix` begins the public code of each flag.

    `answer` is a partner's that says more than the flags.
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
        ),
    )


def _oldest_open(draft: Draft[Any]) -> Referral:
    if not draft.case.open_referrals:
        raise Rejection("no-open-referral")
    return draft.case.open_referrals[0]


def _proved(command: TakeMessage) -> OfficerRef:
    """Who speaks. A name in the message proves nothing."""
    officer = command.proof.officer
    if officer is None:
        raise Rejection("officer-not-proven")
    return officer


def record_decision(draft: Draft[Any], message: OfficerDecision, command: TakeMessage) -> None:
    """An officer answers the oldest open referral; a denial not yet confirmed is replaced.

    Raises:
        Rejection: no referral is open, or no officer is proved.
    """
    draft.add(
        OfficerDecided(
            at=draft.not_before(command.received_at),
            number=_oldest_open(draft).number,
            officer=_proved(command),
            decision=message.decision,
            why=message.why,
        )
    )


def _said(events: Events) -> OfficerDecision:
    decided = first_of(OfficerDecided, events)
    return OfficerDecision.model_validate(decided.model_dump(include={"officer", "decision", "why"}))


def confirm_denial(draft: Draft[Any], message: OfficerConfirmation, command: TakeMessage) -> None:
    """A second officer confirms a denial.

    Raises:
        Rejection: no referral is open, none is denied, or no other officer is proved.
    """
    del message
    referral, officer = _oldest_open(draft), _proved(command)
    if referral.decision != "deny":
        raise Rejection("no-denial-to-confirm")
    if referral.officer == officer:
        raise Rejection("same-officer")
    at = draft.not_before(command.received_at)
    draft.add(OfficerDecisionConfirmed(at=at, number=referral.number, officer=officer))


def escalate(draft: Draft[Any], due_at: datetime) -> None:
    """Record, once a referral, that its limit passed with no answer."""
    for referral in draft.case.open_referrals:
        if not referral.escalated and referral.since + draft.world.rules.limit(LIMIT) <= due_at:
            draft.add(ReferralEscalated(at=draft.not_before(due_at), number=referral.number))


def running(case: Case, rules: RuleSet) -> Iterable[Deadline]:
    """The limits of open referrals that have not escalated."""
    return (
        Deadline(referral.since + rules.limit(LIMIT), LIMIT)
        for referral in case.open_referrals
        if not referral.escalated
    )


def follow_officers(draft: Draft[Any]) -> Events:
    """What officers decided and has not taken effect: an approval, or a denial that a second one confirmed."""
    for referral in draft.case.referrals:
        if referral.settled or referral.open:
            continue
        question = draft.family.questions[referral.question]
        return question.approved(draft) if referral.approved else question.denied(draft, referral.number)
    return ()


def _with_referral(case: Case, number: int, **changes: Any) -> Case:  # fields of Referral, checked by it
    return replace(case, referrals=tuple(replace(r, **changes) if r.number == number else r for r in case.referrals))


def _escalated(case: Case, event: ReferralEscalated) -> Case:
    return _with_referral(case, event.number, escalated=True)


def _decided(case: Case, event: OfficerDecided) -> Case:
    return _with_referral(case, event.number, officer=event.officer, decision=event.decision, confirmed=False)


def _confirmed(case: Case, event: OfficerDecisionConfirmed) -> Case:
    return _with_referral(case, event.number, confirmed=True)


def stage_of_officers(questions: Iterable[QuestionDefinition]) -> Stage:
    """What officers do in every family, given what they may be asked in this one."""
    asked_about = {question.name: question.partner for question in questions}

    def referred(case: Case, event: ReferredToOfficer) -> Case:
        partner = asked_about.get(event.question)
        return replace(
            case,
            referrals=(*case.referrals, Referral(event.number, event.question, event.at)),
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
                "An officer decides the oldest open referral; a denial waits for a second officer.",
                {"officer": "o-1", "decision": "deny", "why": "name-match"},
                said=_said,
            ),
            message(
                OfficerConfirmation,
                confirm_denial,
                "A second officer confirms a denial: closes.",
                {"officer": "o-2"},
                said=lambda events: OfficerConfirmation(officer=first_of(OfficerDecisionConfirmed, events).officer),
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
