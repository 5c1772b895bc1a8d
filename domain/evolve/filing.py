"""Filing, refusals, and the end of a case."""

from domain import events as e
from domain.case import Case
from domain.evolve.changes import Handlers, replace, unchanged


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


HANDLERS: Handlers = {
    e.ApplicationFiled: _application_filed,
    e.MessageRejected: _rejected,
    e.ApplicationWithdrawn: unchanged,
    e.CaseClosed: _closed,
    e.PersonalDataErased: _erased,
}
