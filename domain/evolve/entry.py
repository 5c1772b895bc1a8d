"""Proof of entry."""

from domain import events as e
from domain.case import Case
from domain.events import CaseEvent
from domain.evolve.changes import Handlers, answered, asked, forward, replace, settled


def _entry_settled(case: Case, event: CaseEvent) -> Case:
    return replace(
        case,
        entry_ok=True,
        evidence_since=None,
        evidence_taken=False,
        requests=answered(case, "entry_records"),
        referrals=settled(case, "mexico-entry"),
        stage=forward(case, "security_vetting"),
    )


def _entry_requested(case: Case, event: e.EntryCheckRequested) -> Case:
    return replace(case, entry_asked=True, requests=asked(case, "entry_records", event.request_id, event.at))


def _entry_refused(case: Case, event: e.EntryRefused) -> Case:
    return replace(case, requests=answered(case, "entry_records"))


def _evidence_requested(case: Case, event: e.EvidenceRequested) -> Case:
    return replace(case, evidence_since=event.at, evidence_taken=True, requests=answered(case, "entry_records"))


def _evidence_received(case: Case, event: e.EvidenceReceived) -> Case:
    return replace(
        case,
        documents=(*case.documents, *event.documents),
        document_facts=(*case.document_facts, case.next_event_id),
        evidence_since=None if event.strong else case.evidence_since,
    )


def _evidence_lapsed(case: Case, event: e.EvidenceDeadlinePassed) -> Case:
    return replace(case, evidence_since=None, evidence_taken=False)


HANDLERS: Handlers = {
    e.EntryProofNotRequired: _entry_settled,
    e.EntryCheckRequested: _entry_requested,
    e.EntryVerified: _entry_settled,
    e.EntryRefused: _entry_refused,
    e.EvidenceRequested: _evidence_requested,
    e.EvidenceReceived: _evidence_received,
    e.EvidenceDeadlinePassed: _evidence_lapsed,
}
