"""Referrals: people look, two must deny, and nothing decides by itself."""

from collections.abc import Iterable
from datetime import datetime

from domain import messages as m
from domain.case import Referral
from domain.decide.draft import Draft
from domain.events import (
    Basis,
    CaseEvent,
    OfficerDecided,
    OfficerDecisionConfirmed,
    ReferralEscalated,
    ReferredToOfficer,
)
from domain.rejection import Rejection
from domain.vocabulary import Question


def _code(flag: str) -> str:
    """The flag itself where it is a plain code; a partner's free text is not repeated in public."""
    plain = flag.isascii() and flag == flag.lower() and flag.replace("-", "").replace("_", "").isalnum()
    return flag if plain and flag[0].isalnum() and len(flag) <= 64 else "other"


def refer(
    draft: Draft, question: Question, flags: Iterable[str], *, prefix: str = "", basis: Basis | None = None
) -> tuple[CaseEvent, ...]:
    """Put `question` before an officer, with what gave rise to it; `prefix` begins the public code of each flag."""
    flags = tuple(flags)
    return (
        ReferredToOfficer(
            at=draft.now,
            number=draft.case.referral_count + 1,
            question=question,
            codes=tuple(dict.fromkeys(_code(prefix + flag) for flag in flags)),
            basis=basis,
            flags=flags,
        ),
    )


def _oldest_open(draft: Draft) -> Referral:
    if not draft.case.open_referrals:
        raise Rejection("no-open-referral")
    return draft.case.open_referrals[0]


def record_decision(draft: Draft, message: m.OfficerDecision, received_at: datetime) -> None:
    """An officer answers the oldest open referral; a denial not yet confirmed is replaced.

    Raises:
        Rejection: no referral is open.
    """
    draft.add(
        OfficerDecided(
            at=draft.at(received_at),
            number=_oldest_open(draft).number,
            officer=message.officer,
            decision=message.decision,
            why=message.why,
        )
    )


def confirm_denial(draft: Draft, message: m.OfficerConfirmation, received_at: datetime) -> None:
    """A second officer confirms a denial.

    Raises:
        Rejection: no referral is open, none is denied, or it is the same officer.
    """
    referral = _oldest_open(draft)
    if referral.decision != "deny":
        raise Rejection("no-denial-to-confirm")
    if referral.officer == message.officer:
        raise Rejection("same-officer")
    draft.add(OfficerDecisionConfirmed(at=draft.at(received_at), number=referral.number, officer=message.officer))


def escalate(draft: Draft, due_at: datetime) -> None:
    """Record, once a referral, that its limit passed with no answer."""
    for referral in draft.case.open_referrals:
        if not referral.escalated and referral.since + draft.world.rules.referral_limit <= due_at:
            draft.add(ReferralEscalated(at=draft.at(due_at), number=referral.number))
