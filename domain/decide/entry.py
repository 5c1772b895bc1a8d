"""Proof of entry: whether it is needed, the records' answers, evidence, and its limit."""

from datetime import datetime

from domain import messages as m
from domain.application import Manner
from domain.decide.draft import Draft
from domain.decide.referral import refer
from domain.events import (
    CaseEvent,
    EntryCheckRequested,
    EntryProofNotRequired,
    EntryRefused,
    EntryVerified,
    EvidenceDeadlinePassed,
    EvidenceReceived,
    EvidenceRequested,
)
from domain.rejection import Rejection
from domain.rules import entry as rule


def check_entry(draft: Draft) -> tuple[CaseEvent, ...]:
    """The next step towards a proven entry, once the supporter is confirmed."""
    if not rule.needs_proof(draft.case):
        basis = draft.basis(rule.mexico_entry_as_declared(draft.case, draft.world))
        return (EntryProofNotRequired(at=draft.now, basis=basis),)
    if draft.case.entry_asked:
        return ()
    return (EntryCheckRequested(at=draft.now, request_id=draft.case.next_event_id),)


def on_matched(draft: Draft, message: m.EntryMatchedAnswer) -> tuple[CaseEvent, ...]:
    """Mexican records know the entry; what they leave out is as declared."""
    declared = rule.latest_mexican_entry(draft.case)
    entered_at = message.entered_at or (declared.entered_at if declared else None)
    manner: Manner = message.manner or (declared.manner if declared else "regular")
    if entered_at is None:
        return refer(draft, "mexico-entry", ("entry-date-missing",))
    result = rule.mexico_entry_at(draft.case, entered_at, draft.world)
    basis = draft.basis(result)
    if result.result == "failed":
        refused = EntryRefused(at=draft.now, basis=basis, entered_at=entered_at)
        return (refused, *draft.closing("ineligible", "mexico-entry", basis))
    if manner == "irregular":
        return refer(draft, "mexico-entry", ("irregular-entry-before-cutoff",), basis=basis)
    place = message.place or (declared.place if declared else None)
    verified = EntryVerified(at=draft.now, basis=basis, by="records", entered_at=entered_at, place=place, manner=manner)
    return (verified,)


def on_not_found(draft: Draft) -> tuple[CaseEvent, ...]:
    """The records know nothing: a strong document decides, or evidence is asked for."""
    if rule.any_strong(draft.case.documents, draft.world.rules):
        return _strongly_documented(draft, by_evidence=False)
    return (EvidenceRequested(at=draft.now),)


def on_mismatch(draft: Draft, message: m.EntryMismatchAnswer) -> tuple[CaseEvent, ...]:
    """The records say otherwise than the applicant: an officer looks."""
    if not message.fields:
        return refer(draft, "mexico-entry", ("mismatch",))
    return refer(draft, "mexico-entry", message.fields, prefix="mismatch-")


def receive_evidence(draft: Draft, message: m.EvidenceSubmission, received_at: datetime) -> None:
    """Record what the applicant sent; weak evidence leaves the limit standing.

    Raises:
        Rejection: no evidence was asked for, or the entry is already verified.
    """
    if not draft.case.evidence_taken:
        raise Rejection("no-evidence-wanted")
    strong = rule.any_strong(message.documents, draft.world.rules)
    draft.add(EvidenceReceived(at=draft.at(received_at), strong=strong, documents=message.documents))


def judge_evidence(draft: Draft) -> tuple[CaseEvent, ...]:
    """Strong evidence has come: the entry is verified, without a new call to the records."""
    case = draft.case
    if not case.evidence_taken or case.evidence_since or case.has_referral("mexico-entry"):
        return ()
    return _strongly_documented(draft, by_evidence=True)


def _strongly_documented(draft: Draft, *, by_evidence: bool) -> tuple[CaseEvent, ...]:
    declared = rule.latest_mexican_entry(draft.case)
    basis = draft.basis(rule.mexico_entry_by_document(draft.case))
    if declared is not None and declared.manner == "irregular":
        return refer(draft, "mexico-entry", ("irregular-entry-before-cutoff",), basis=basis)
    return (EntryVerified(at=draft.now, basis=basis, by="evidence" if by_evidence else "document"),)


def approved_by_officer(draft: Draft) -> tuple[CaseEvent, ...]:
    """An officer accepted the entry."""
    basis = draft.basis(rule.mexico_entry_by_officer(draft.case, approved=True))
    return (EntryVerified(at=draft.now, basis=basis, by="officer"),)


def denied_by_officers(draft: Draft) -> tuple[CaseEvent, ...]:
    """Two officers refused the entry."""
    basis = draft.basis(rule.mexico_entry_by_officer(draft.case, approved=False))
    return (
        EntryRefused(at=draft.now, basis=basis, by_officer=True),
        *draft.closing("denied", "mexico-entry", basis),
    )


def end_evidence(draft: Draft, due_at: datetime) -> None:
    """The limit for evidence passed with nothing strong received before it."""
    draft.add(EvidenceDeadlinePassed(at=draft.at(due_at)))
    draft.add(*draft.closing("ineligible", "evidence-deadline"))
