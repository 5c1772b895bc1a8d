"""What happens to the cases of every family: held and resumed, a message refused, a place offered, closed, erased."""

from typing import Any, Final

from domain.kernel.case import Case, Closing, WaitingAnswer, answered, replace
from domain.kernel.decider import Draft, is_to_reopen
from domain.kernel.definition import (
    CLOSED,
    Stage,
    Wait,
    Words,
    event,
    message,
)
from domain.kernel.events import CaseClosed, CaseHeld, CaseResumed, MessageRejected, PersonalDataErased
from domain.kernel.messages import Message, PlaceOffered, ProgrammeChanged, Rejection, TakeMessage


def _held(case: Case, event: CaseHeld) -> Case:
    if event.partner is None:
        return replace(case, held=True)
    answers = case.held_answers
    if event.answer is not None:
        answers = (*answers, WaitingAnswer(event.partner, event.answer.body, event.news, event.fact))
    requests = case.requests if event.news else answered(case, event.partner)
    return replace(case, held=True, held_answers=answers, requests=requests)


def _resumed(case: Case, event: CaseResumed) -> Case:
    del event
    return replace(case, held=False, held_answers=())


def _rejected(case: Case, event: MessageRejected) -> Case:
    del event
    return replace(case, rejected_count=case.rejected_count + 1)


def _closed(case: Case, event: CaseClosed) -> Case:
    partners = tuple(request.partner for request in case.requests)
    return replace(
        case,
        closing=Closing(event.at, case.stage, event.facts, event.referral, partners, case.held_answers),
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
    """Nothing to record: what follows is the case's next step.

    Raises:
        Rejection: the case is closed and not to be opened again.
    """
    del message, command
    if draft.case.closed and not is_to_reopen(draft.case):
        raise Rejection("case-closed")


EVERY_FAMILY: Final = Stage(
    name=None,
    events=(
        event(
            CaseHeld,
            _held,
            Words(
                "The programme is suspended: the next step waits.",
                "El programa está suspendido: el siguiente paso espera.",
            ),
        ),
        event(
            CaseResumed,
            _resumed,
            Words("The programme resumed and the case goes on.", "El programa se reanudó y el caso continúa."),
        ),
        event(
            MessageRejected,
            _rejected,
            Words("A message was refused: {kind}, {code}.", "Se rechazó un mensaje: {kind}, {code}."),
        ),
        event(
            CaseClosed,
            _closed,
            Words("The case closed: {outcome}. {reason}", "El caso se cerró: {outcome}. {reason}"),
        ),
        event(
            PersonalDataErased,
            _erased,
            Words(
                "Personal data was erased by order of officers {first_officer} and {second_officer}: {because}.",
                "Se borraron los datos personales por orden de los oficiales {first_officer} y {second_officer}: "
                "{because}.",
            ),
        ),
    ),
    messages=(
        message(PlaceOffered, _look_again, "A place is reserved for this case: it decides for itself.", {}),
        message(ProgrammeChanged, _look_again, "The programme changed: look again.", {}, ends=True, after_close=True),
    ),
    senders={
        "passage": Words("Passage itself", "Passage"),
        "governments": Words("the governments", "los gobiernos"),
    },
    waits={
        "programme": Wait(
            Words("the programme to resume", "la reanudación del programa"),
            "the programme resumes: `programme.changed`",
        ),
    },
    outcomes={
        "terminated": Words("the programme ended", "programa terminado"),
    },
    reasons={
        "programme-terminated": Words("the programme was terminated", "el programa fue terminado"),
    },
)
"""What happens to the cases of every family: held, resumed, refused, closed, erased; a place offered."""
