"""Another passport: recorded, vetted anew once travel was authorized, and judged before the hold is lifted."""

from typing import Annotated, Literal

from domain.humanitarian_parole.application import ERASED_PASSPORT, Name, Passport
from domain.humanitarian_parole.stages.filing import Filed, beneficiary_of
from domain.humanitarian_parole.stages.travel import Travel, hold
from domain.humanitarian_parole.stages.vetting import PARTNER as VETTING
from domain.humanitarian_parole.stages.vetting import SecurityVetting
from domain.humanitarian_parole.world import Draft
from domain.kernel.case import Case, replace, with_part, without_answers_of
from domain.kernel.definition import (
    Events,
    Stage,
    Words,
    event,
    first_of,
    message,
)
from domain.kernel.events import CaseEvent, Personal
from domain.kernel.messages import Message, Rejection, TakeMessage


class PassportChange(Message):
    """The applicant has another passport."""

    SENDERS = ("applicant",)
    message: Literal["passport.changed"] = "passport.changed"
    passport: Passport
    surnames: Name | None = None


class PassportChanged(CaseEvent):
    """The beneficiary has another passport."""

    passport: Annotated[Passport, Personal(erased=ERASED_PASSPORT)]
    surnames: Annotated[Name | None, Personal(erased=None)] = None


def change_passport(draft: Draft, message: PassportChange, command: TakeMessage) -> None:
    """Record the new passport; an authorization is held until it is vetted.

    Raises:
        Rejection: the beneficiary was already paroled.
    """
    if draft.family.over(draft.case):
        raise Rejection("already-paroled")
    at = draft.not_before(command.received_at)
    draft.add(PassportChanged(at=at, passport=message.passport, surnames=message.surnames))
    hold(draft, "passport", at)


def _said(events: Events) -> PassportChange:
    changed = first_of(PassportChanged, events)
    return PassportChange(passport=changed.passport, surnames=changed.surnames)


def _changed(case: Case, event: PassportChanged) -> Case:
    beneficiary, travel = beneficiary_of(case), case.of(Travel)
    changed = beneficiary.model_copy(
        update={"passport": event.passport, "surnames": event.surnames or beneficiary.surnames}
    )
    case = with_part(case, replace(case.of(Filed), beneficiary=changed, fact=case.next_event_id))
    if travel.authorization is None:
        return case
    again = case.request_to(VETTING) is None
    case = with_part(case, replace(case.of(SecurityVetting), cleared=False, again=again))
    answers = without_answers_of(case, VETTING)
    return with_part(case, replace(travel, passport_unchecked=True), held_answers=answers)


STAGE = Stage(
    name=None,
    events=(
        event(
            PassportChanged,
            _changed,
            Words("The beneficiary has another passport.", "La persona beneficiaria tiene otro pasaporte."),
        ),
    ),
    messages=(message(PassportChange, change_passport, "The applicant has another passport.", ends=True, said=_said),),
)
