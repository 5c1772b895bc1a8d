"""Referrals and what officers decide."""

from typing import Any

from domain import events as e
from domain.case import Case, Referral
from domain.evolve.changes import Handlers, answered, replace
from domain.vocabulary import Partner

_ASKED_BY_QUESTION: dict[str, Partner] = {
    "supporter": "sponsor_registry",
    "mexico-entry": "entry_records",
    "vetting": "vetting",
}


def _with_referral(case: Case, number: int, **changes: Any) -> Case:  # fields of Referral, checked by it
    return replace(case, referrals=tuple(replace(r, **changes) if r.number == number else r for r in case.referrals))


def _referred(case: Case, event: e.ReferredToOfficer) -> Case:
    return replace(
        case,
        referrals=(*case.referrals, Referral(event.number, event.question, event.at)),
        referral_count=event.number,
        flags=(*case.flags, *(code for code in event.codes if code not in case.flags)),
        requests=answered(case, _ASKED_BY_QUESTION[event.question]),
    )


def _escalated(case: Case, event: e.ReferralEscalated) -> Case:
    return _with_referral(case, event.number, escalated=True)


def _officer_decided(case: Case, event: e.OfficerDecided) -> Case:
    return _with_referral(case, event.number, officer=event.officer, decision=event.decision, confirmed=False)


def _officer_confirmed(case: Case, event: e.OfficerDecisionConfirmed) -> Case:
    return _with_referral(case, event.number, confirmed=True)


HANDLERS: Handlers = {
    e.ReferredToOfficer: _referred,
    e.ReferralEscalated: _escalated,
    e.OfficerDecided: _officer_decided,
    e.OfficerDecisionConfirmed: _officer_confirmed,
}
