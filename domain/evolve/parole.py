"""Parole and the work permit."""

from domain import events as e
from domain.case import Case, Parole
from domain.evolve.changes import Handlers, answered, asked, forward, replace


def _paroled(case: Case, event: e.ParoleGranted) -> Case:
    return replace(
        case,
        parole=Parole(event.last_day, event.at),
        stage=forward(case, "work_permit_eligibility"),
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
    return replace(case, work_permit="applied", requests=asked(case, "work_permit_office", event.request_id, event.at))


def _permit_eligible(case: Case, event: e.WorkPermitEligible) -> Case:
    return replace(case, work_permit="eligible", requests=answered(case, "work_permit_office"))


def _permit_ineligible(case: Case, event: e.WorkPermitIneligible) -> Case:
    return replace(case, work_permit="ineligible", requests=answered(case, "work_permit_office"))


def _parole_ending(case: Case, event: e.ParoleEnding) -> Case:
    return case if case.parole is None else replace(case, parole=replace(case.parole, notified=event.last_day))


def _parole_ended(case: Case, event: e.ParoleEnded) -> Case:
    return case if case.parole is None else replace(case, parole=replace(case.parole, last_day=event.last_day))


HANDLERS: Handlers = {
    e.ParoleGranted: _paroled,
    e.WorkPermitApplied: _permit_applied,
    e.WorkPermitEligible: _permit_eligible,
    e.WorkPermitIneligible: _permit_ineligible,
    e.ParoleEnding: _parole_ending,
    e.ParoleEnded: _parole_ended,
}
