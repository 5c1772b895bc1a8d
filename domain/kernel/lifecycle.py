"""What happens to the cases of every family: held and resumed, a message refused, a place offered, closed, erased."""

from typing import Any, Final

from domain.kernel.case import Case, answered, replace
from domain.kernel.decider import Draft
from domain.kernel.definition import CLOSED, Stage, event, message
from domain.kernel.events import CaseClosed, CaseHeld, CaseResumed, MessageRejected, PersonalDataErased
from domain.kernel.messages import Message, PlaceOffered, ProgrammeChanged, TakeMessage


def _held(case: Case, event: CaseHeld) -> Case:
    if event.partner is None:
        return replace(case, held=True)
    answers = case.held_answers if event.answer is None else (*case.held_answers, event.answer)
    return replace(case, held=True, held_answers=answers, requests=answered(case, event.partner))


def _resumed(case: Case, event: CaseResumed) -> Case:
    del event
    return replace(case, held=False, held_answers=())


def _rejected(case: Case, event: MessageRejected) -> Case:
    del event
    return replace(case, rejected_count=case.rejected_count + 1)


def _closed(case: Case, event: CaseClosed) -> Case:
    return replace(
        case,
        stage=CLOSED,
        outcome=event.outcome,
        reason=event.reason,
        closed_at=event.at,
        requests=(),
        held=False,
        held_answers=(),
    )


def _erased(case: Case, event: PersonalDataErased) -> Case:
    del event
    return replace(case, erased=True)


def _look_again(draft: Draft[Any], message: Message, command: TakeMessage) -> None:
    """Nothing to record: what follows is the case's next step."""
    del draft, message, command


EVERY_FAMILY: Final = Stage(
    name=None,
    events=(
        event(CaseHeld, _held),
        event(CaseResumed, _resumed),
        event(MessageRejected, _rejected),
        event(CaseClosed, _closed),
        event(PersonalDataErased, _erased),
    ),
    messages=(
        message(PlaceOffered, _look_again, "A place is reserved for this case: it decides for itself."),
        message(ProgrammeChanged, _look_again, "The programme changed: look again.", ends=True),
    ),
)
"""What happens to the cases of every family: held, resumed, refused, closed, erased; a place offered."""
