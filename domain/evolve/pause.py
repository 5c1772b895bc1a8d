"""A case that waits for the programme to resume."""

from domain import events as e
from domain.case import Case
from domain.evolve.changes import Handlers, answered, replace


def _held(case: Case, event: e.CaseHeld) -> Case:
    if event.partner is None:
        return replace(case, held=True)
    answers = case.held_answers if event.answer is None else (*case.held_answers, event.answer.body)
    return replace(case, held=True, held_answers=answers, requests=answered(case, event.partner))


def _resumed(case: Case, event: e.CaseResumed) -> Case:
    return replace(case, held=False, held_answers=())


HANDLERS: Handlers = {
    e.CaseHeld: _held,
    e.CaseResumed: _resumed,
}
