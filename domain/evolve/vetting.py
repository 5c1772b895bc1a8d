"""Security vetting."""

from domain import events as e
from domain.case import Case
from domain.evolve.changes import Handlers, answered, asked, forward, replace, settled, unchanged


def _vetting_requested(case: Case, event: e.VettingRequested) -> Case:
    return replace(
        case,
        vetting_asked=True,
        vetting_ok=False,
        vet_again=False,
        requests=asked(case, "vetting", event.request_id, event.at),
    )


def _vetting_cleared(case: Case, event: e.VettingCleared) -> Case:
    requests = case.requests if event.by_officer else answered(case, "vetting")
    return replace(
        case,
        vetting_ok=True,
        findings=event.findings,
        vetting_fact=case.next_event_id,
        requests=requests,
        referrals=settled(case, "vetting"),
        stage=forward(case, "travel_authorization"),
    )


HANDLERS: Handlers = {
    e.VettingRequested: _vetting_requested,
    e.VettingCleared: _vetting_cleared,
    e.VettingDenied: unchanged,
}
