"""Security vetting: cleared, or looked at by an officer; no hit denies by itself."""

from domain import messages as m
from domain.decide.draft import Draft
from domain.decide.referral import refer
from domain.events import CaseEvent, VettingCleared, VettingDenied, VettingRequested
from domain.rules.vetting import removal_order


def request_vetting(draft: Draft) -> tuple[CaseEvent, ...]:
    """Ask for vetting."""
    return (VettingRequested(at=draft.now, request_id=draft.case.next_event_id),)


def on_cleared(draft: Draft, message: m.VettingClearedAnswer) -> tuple[CaseEvent, ...]:
    """Cleared; the rules judge the findings next (`judge_findings`)."""
    return (VettingCleared(at=draft.now, findings=message.findings),)


def on_referred(draft: Draft, message: m.VettingReferredAnswer) -> tuple[CaseEvent, ...]:
    """Vetting asks for an officer."""
    return refer(draft, "vetting", message.flags)


def on_hit(draft: Draft, message: m.VettingHitAnswer) -> tuple[CaseEvent, ...]:
    """A hit is suspicion: an officer weighs it (decision 12)."""
    return refer(draft, "vetting", (message.kind,))


def judge_findings(draft: Draft) -> tuple[CaseEvent, ...]:
    """A removal order within the rule's years closes the case."""
    result = removal_order(draft.case, draft.world)
    if result.result == "passed":
        return ()
    return draft.closing("ineligible", "removal-order", draft.basis(result))


def approved_by_officer(draft: Draft) -> tuple[CaseEvent, ...]:
    """An officer cleared the referral."""
    return (VettingCleared(at=draft.now, by_officer=True),)


def denied_by_officers(draft: Draft, number: int) -> tuple[CaseEvent, ...]:
    """Two officers denied."""
    return (VettingDenied(at=draft.now, number=number), *draft.closing("denied", "vetting"))
