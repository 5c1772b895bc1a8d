"""`evolve(case, event)`: what each event makes of a case. It judges nothing and never fails on a stored history."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from domain import events as e
from domain.case import Authorization, Case, Crossing, Parole, Referral, Request
from domain.events import CaseEvent
from domain.vocabulary import Partner, Question, Stage

_STAGES: tuple[Stage, ...] = (
    "sponsor_confirmation",
    "proof_of_entry",
    "security_vetting",
    "travel_authorization",
    "work_permit_eligibility",
    "closed",
)


def evolve(case: Case, event: CaseEvent) -> Case:
    """The case after `event`."""
    handler = _HANDLERS.get(type(event))
    if handler is None:
        raise TypeError(f"not an event of a case: {type(event).__name__}")
    before = (case.stage, case.waiting_on)
    after = replace(handler(case, event), version=case.version + 1, last_at=event.at)
    if (after.stage, after.waiting_on) != before:
        after = replace(after, since=event.at)
    return after


def _forward(case: Case, stage: Stage) -> Stage:
    """The later of the two: nothing moves a stage back."""
    return max(case.stage, stage, key=_STAGES.index)


def _asked(case: Case, partner: Partner, request_id: str) -> tuple[Request, ...]:
    return (*_answered(case, partner), Request(request_id, partner))


def _answered(case: Case, partner: Partner) -> tuple[Request, ...]:
    return tuple(request for request in case.requests if request.partner != partner)


def _application_filed(case: Case, event: e.ApplicationFiled) -> Case:
    return replace(
        case,
        programme=event.programme,
        rules_version=event.rules_version,
        filed_at=event.at,
        application=event.application,
        beneficiary=event.application.beneficiary,
        beneficiary_fact=case.next_event_id,
        supporter=event.application.supporter,
        supporter_fact=case.next_event_id,
        documents=event.application.documents,
        document_facts=(case.next_event_id,),
    )


def _settled(case: Case, question: Question) -> tuple[Referral, ...]:
    return tuple(
        replace(r, settled=True) if r.question == question and r.decision == "approve" else r for r in case.referrals
    )


def _sponsor_requested(case: Case, event: e.SponsorConfirmationRequested) -> Case:
    return replace(case, admitted=True, requests=_asked(case, "sponsor_registry", event.request_id))


def _sponsor_confirmed(case: Case, event: e.SponsorConfirmed) -> Case:
    return replace(
        case,
        sponsor_ok=True,
        requests=_answered(case, "sponsor_registry"),
        referrals=_settled(case, "supporter"),
        stage=_forward(case, "proof_of_entry"),
    )


def _sponsor_not_confirmed(case: Case, event: e.SponsorNotConfirmed) -> Case:
    return replace(case, requests=_answered(case, "sponsor_registry"))


def _sponsor_withdrew(case: Case, event: e.SponsorWithdrew) -> Case:
    if case.parole:
        return replace(case, supporter=None)
    return replace(
        case,
        supporter=None,
        sponsor_ok=False,
        supporter_gone_at=event.at,
        waitlisted_at=None,
        requests=_answered(case, "sponsor_registry"),
        referrals=tuple(r for r in case.referrals if r.settled or r.question != "supporter"),
        held_answers=_without_answers_of(case, "sponsor."),
    )


def _without_answers_of(case: Case, prefix: str) -> tuple[str, ...]:
    return tuple(answer for answer in case.held_answers if f'"message":"{prefix}' not in answer)


def _sponsor_replaced(case: Case, event: e.SponsorReplaced) -> Case:
    return replace(case, supporter=event.supporter, supporter_fact=case.next_event_id, supporter_gone_at=None)


def _entry_settled(case: Case, event: CaseEvent) -> Case:
    return replace(
        case,
        entry_ok=True,
        evidence_since=None,
        evidence_taken=False,
        requests=_answered(case, "entry_records"),
        referrals=_settled(case, "mexico-entry"),
        stage=_forward(case, "security_vetting"),
    )


def _entry_requested(case: Case, event: e.EntryCheckRequested) -> Case:
    return replace(case, entry_asked=True, requests=_asked(case, "entry_records", event.request_id))


def _entry_refused(case: Case, event: e.EntryRefused) -> Case:
    return replace(case, requests=_answered(case, "entry_records"))


def _evidence_requested(case: Case, event: e.EvidenceRequested) -> Case:
    return replace(case, evidence_since=event.at, evidence_taken=True, requests=_answered(case, "entry_records"))


def _evidence_received(case: Case, event: e.EvidenceReceived) -> Case:
    return replace(
        case,
        documents=(*case.documents, *event.documents),
        document_facts=(*case.document_facts, case.next_event_id),
        evidence_since=None if event.strong else case.evidence_since,
    )


def _evidence_lapsed(case: Case, event: e.EvidenceDeadlinePassed) -> Case:
    return replace(case, evidence_since=None, evidence_taken=False)


def _vetting_requested(case: Case, event: e.VettingRequested) -> Case:
    return replace(
        case,
        vetting_asked=True,
        vetting_ok=False,
        vet_again=False,
        requests=_asked(case, "vetting", event.request_id),
    )


def _vetting_cleared(case: Case, event: e.VettingCleared) -> Case:
    requests = case.requests if event.by_officer else _answered(case, "vetting")
    return replace(
        case,
        vetting_ok=True,
        findings=event.findings,
        vetting_fact=case.next_event_id,
        requests=requests,
        referrals=_settled(case, "vetting"),
        stage=_forward(case, "travel_authorization"),
    )


_ASKED_BY_QUESTION: dict[str, Partner] = {
    "supporter": "sponsor_registry",
    "mexico-entry": "entry_records",
    "vetting": "vetting",
}


def _referred(case: Case, event: e.ReferredToOfficer) -> Case:
    return replace(
        case,
        referrals=(*case.referrals, Referral(event.number, event.question, event.at)),
        referral_count=event.number,
        flags=(*case.flags, *(code for code in event.codes if code not in case.flags)),
        requests=_answered(case, _ASKED_BY_QUESTION[event.question]),
    )


def _with_referral(case: Case, number: int, **changes: Any) -> Case:  # fields of Referral, checked by it
    return replace(case, referrals=tuple(replace(r, **changes) if r.number == number else r for r in case.referrals))


def _escalated(case: Case, event: e.ReferralEscalated) -> Case:
    return _with_referral(case, event.number, escalated=True)


def _officer_decided(case: Case, event: e.OfficerDecided) -> Case:
    return _with_referral(case, event.number, officer=event.officer, decision=event.decision, confirmed=False)


def _officer_confirmed(case: Case, event: e.OfficerDecisionConfirmed) -> Case:
    return _with_referral(case, event.number, confirmed=True)


def _waitlisted(case: Case, event: e.Waitlisted) -> Case:
    return replace(case, waitlisted_at=event.at)


def _authorized(case: Case, event: e.TravelAuthorized) -> Case:
    return replace(
        case,
        waitlisted_at=None,
        authorization=Authorization(event.last_day, event.at, event.period),
        stage=_forward(case, "travel_authorization"),
    )


def _extended(case: Case, event: e.TravelAuthorizationExtended) -> Case:
    if case.authorization is None:
        return case
    authorization = replace(case.authorization, last_day=event.last_day, set_at=event.at, extended=True)
    return replace(case, authorization=authorization)


def _travel_held(case: Case, event: e.TravelAuthorizationHeld) -> Case:
    return replace(case, travel_held=True)


def _released(case: Case, event: e.TravelAuthorizationReleased) -> Case:
    return replace(case, travel_held=False, passport_unchecked=False)


def _expired(case: Case, event: e.TravelAuthorizationExpired) -> Case:
    if case.authorization is None:
        return case
    return replace(case, authorization=replace(case.authorization, last_day=event.last_day, set_at=event.at))


def _crossing(case: Case, event: e.IrregularCrossingRecorded) -> Case:
    return replace(case, crossings=(*case.crossings, Crossing(event.country, event.crossed_at, case.next_event_id)))


def _passport_changed(case: Case, event: e.PassportChanged) -> Case:
    beneficiary = case.require_beneficiary()
    changed = beneficiary.model_copy(
        update={"passport": event.passport, "surnames": event.surnames or beneficiary.surnames}
    )
    case = replace(case, beneficiary=changed, beneficiary_fact=case.next_event_id)
    if case.authorization is None:
        return case
    return replace(
        case,
        vetting_ok=False,
        vet_again=case.request_to("vetting") is None,
        passport_unchecked=True,
        held_answers=_without_answers_of(case, "vetting."),
    )


def _paroled(case: Case, event: e.ParoleGranted) -> Case:
    return replace(
        case,
        parole=Parole(event.last_day, event.at),
        stage=_forward(case, "work_permit_eligibility"),
        requests=(),
        referrals=tuple(r for r in case.referrals if r.settled),
        evidence_since=None,
        evidence_taken=False,
        supporter_gone_at=None,
        travel_held=False,
        vet_again=False,
        held=False,
        held_answers=(),
    )


def _permit_applied(case: Case, event: e.WorkPermitApplied) -> Case:
    return replace(case, work_permit="applied", requests=_asked(case, "work_permit_office", event.request_id))


def _permit_eligible(case: Case, event: e.WorkPermitEligible) -> Case:
    return replace(case, work_permit="eligible", requests=_answered(case, "work_permit_office"))


def _permit_ineligible(case: Case, event: e.WorkPermitIneligible) -> Case:
    return replace(case, work_permit="ineligible", requests=_answered(case, "work_permit_office"))


def _parole_ending(case: Case, event: e.ParoleEnding) -> Case:
    return case if case.parole is None else replace(case, parole=replace(case.parole, notified=event.last_day))


def _parole_ended(case: Case, event: e.ParoleEnded) -> Case:
    return case if case.parole is None else replace(case, parole=replace(case.parole, last_day=event.last_day))


def _held(case: Case, event: e.CaseHeld) -> Case:
    if event.partner is None:
        return replace(case, held=True)
    answers = case.held_answers if event.answer is None else (*case.held_answers, event.answer.body)
    return replace(case, held=True, held_answers=answers, requests=_answered(case, event.partner))


def _resumed(case: Case, event: e.CaseResumed) -> Case:
    return replace(case, held=False, held_answers=())


def _rejected(case: Case, event: e.MessageRejected) -> Case:
    return replace(case, rejected_count=case.rejected_count + 1)


def _closed(case: Case, event: e.CaseClosed) -> Case:
    return replace(
        case,
        stage="closed",
        outcome=event.outcome,
        reason=event.reason,
        closed_at=event.at,
        requests=(),
        waitlisted_at=None,
        held=False,
        held_answers=(),
    )


def _erased(case: Case, event: e.PersonalDataErased) -> Case:
    return replace(case, erased=True)


def _unchanged(case: Case, event: CaseEvent) -> Case:
    return case


_HANDLERS = cast(
    "dict[type[CaseEvent], Callable[[Case, CaseEvent], Case]]",
    {
        e.ApplicationFiled: _application_filed,
        e.SponsorConfirmationRequested: _sponsor_requested,
        e.SponsorConfirmed: _sponsor_confirmed,
        e.SponsorNotConfirmed: _sponsor_not_confirmed,
        e.SponsorWithdrew: _sponsor_withdrew,
        e.SponsorReplaced: _sponsor_replaced,
        e.EntryProofNotRequired: _entry_settled,
        e.EntryCheckRequested: _entry_requested,
        e.EntryVerified: _entry_settled,
        e.EntryRefused: _entry_refused,
        e.EvidenceRequested: _evidence_requested,
        e.EvidenceReceived: _evidence_received,
        e.EvidenceDeadlinePassed: _evidence_lapsed,
        e.VettingRequested: _vetting_requested,
        e.VettingCleared: _vetting_cleared,
        e.ReferredToOfficer: _referred,
        e.ReferralEscalated: _escalated,
        e.OfficerDecided: _officer_decided,
        e.OfficerDecisionConfirmed: _officer_confirmed,
        e.VettingDenied: _unchanged,
        e.Waitlisted: _waitlisted,
        e.TravelAuthorized: _authorized,
        e.TravelAuthorizationExtended: _extended,
        e.TravelAuthorizationHeld: _travel_held,
        e.TravelAuthorizationReleased: _released,
        e.TravelAuthorizationRevoked: _unchanged,
        e.TravelAuthorizationExpired: _expired,
        e.IrregularCrossingRecorded: _crossing,
        e.PassportChanged: _passport_changed,
        e.ParoleGranted: _paroled,
        e.ParoleRefused: _unchanged,
        e.WorkPermitApplied: _permit_applied,
        e.WorkPermitEligible: _permit_eligible,
        e.WorkPermitIneligible: _permit_ineligible,
        e.ParoleEnding: _parole_ending,
        e.ParoleEnded: _parole_ended,
        e.CaseHeld: _held,
        e.CaseResumed: _resumed,
        e.ApplicationWithdrawn: _unchanged,
        e.MessageRejected: _rejected,
        e.CaseClosed: _closed,
        e.PersonalDataErased: _erased,
    },
)


def fold(case: Case, events: tuple[CaseEvent, ...]) -> Case:
    """The case after all of `events`, in order."""
    for event in events:
        case = evolve(case, event)
    return case
