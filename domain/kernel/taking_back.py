"""Taking back: a fact that its sender retracts, a denial that officers reconsider, and a case that opens again."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from domain.kernel.calendar import Pause
from domain.kernel.case import Case, Reconsideration, Referral, replace
from domain.kernel.decider import Draft, may_reopen, reopened_by_officers
from domain.kernel.definition import Events, Stage, Words, event, first_of, message
from domain.kernel.events import CaseReopened, FactRetracted, ReconsiderationRequested
from domain.kernel.ids import scoped_id
from domain.kernel.messages import (
    OfficerConfirmation,
    OfficerReconsideration,
    Rejection,
    Retraction,
    TakeMessage,
    proved_officer,
    with_reason,
)


def retract(draft: Draft[Any], message: Retraction, command: TakeMessage) -> None:
    """From now on the fact counts nowhere; a case that closed for it opens again when it may.

    Raises:
        Rejection: this case knows no such fact, another sender reported it, or it was taken back before.
    """
    case, senders = draft.case, draft.family.retractable
    ids = (message.of, scoped_id(case.case_id, message.of))
    named = [fact for fact in case.facts if fact.message_id in ids]
    if not named:
        raise Rejection("unknown-fact")
    fact = next((each for each in named if command.source in senders[each.kind]), None)
    if fact is None:
        raise Rejection("not-yours")
    if fact.retracted:
        raise Rejection("already-retracted")
    closed_for_it = case.closed and case.closing is not None and fact.event in case.closing.facts
    reopens = closed_for_it and (draft.world.programme.suspended or may_reopen(draft))
    at = draft.not_before(command.received_at)
    draft.add(FactRetracted(at=at, of=message.of, kind=fact.kind, fact=fact.event, reopens=reopens))


R = TypeVar("R", bound=Retraction)


def said(kind: type[R]) -> Callable[[Events], R]:
    """Makes the message again from the events that followed from it."""
    return lambda events: kind(of=first_of(FactRetracted, events).of)


def reconsider(draft: Draft[Any], message: OfficerReconsideration, command: TakeMessage) -> None:
    """An officer asks that a denied case be opened again; it waits for a second one.

    Raises:
        Rejection: no denial closed the case, it is being reconsidered, there is no reason, no officer is proved,
            or they took part.
    """
    case = draft.case
    if not case.closed:
        raise Rejection("case-open")
    number = _denied(case)
    if case.reconsideration is not None:
        raise Rejection("already-reconsidered")
    why = with_reason(message.why)
    officer = proved_officer(command)
    if officer in case.officers:
        raise Rejection("same-officer")
    at = draft.not_before(command.received_at)
    draft.add(ReconsiderationRequested(at=at, number=number, officer=officer, why=why))


def _denied(case: Case) -> int:
    if case.closing is None or case.closing.referral is None:
        raise Rejection("case-closed")
    return case.closing.referral


def confirm_reconsideration(draft: Draft[Any], message: OfficerConfirmation, command: TakeMessage) -> None:
    """A second officer agrees: the case opens again, if it may; in a suspension once the programme resumes.

    Raises:
        Rejection: nobody asked for it, no officer is proved, or they took part before.
    """
    case = draft.case
    number, asked = _denied(case), case.reconsideration
    if asked is None or asked.second_officer is not None or message.referral not in (None, number):
        raise Rejection("no-reconsideration")
    officer = proved_officer(command)
    if officer in (*case.officers, asked.officer):
        raise Rejection("same-officer")
    waits = draft.world.programme.suspended
    if not waits and may_reopen(draft):
        draft.add(reopened_by_officers(draft, asked.officer, officer, number))
        return
    draft.add(
        ReconsiderationRequested(
            at=draft.not_before(command.received_at),
            number=number,
            officer=asked.officer,
            second_officer=officer,
            reopens=waits,
        )
    )


def _reconsidered(events: Events) -> OfficerReconsideration:
    asked = first_of(ReconsiderationRequested, events)
    return OfficerReconsideration(officer=asked.officer, why=asked.why)


def _retracted(case: Case, event: FactRetracted) -> Case:
    """Open referrals that it caused are void; what officers have decided stands."""
    referrals = tuple(r for r in case.referrals if r.fact != event.fact or not r.open)
    gone = {code for r in case.referrals if r not in referrals for code in r.codes}
    gone -= {code for r in referrals for code in r.codes}
    return replace(
        case,
        facts=tuple(replace(fact, retracted=True) if fact.event == event.fact else fact for fact in case.facts),
        referrals=referrals,
        flags=tuple(flag for flag in case.flags if flag not in gone),
        held_answers=tuple(answer for answer in case.held_answers if answer.fact != event.fact),
        retracted=event.fact if event.reopens else case.retracted,
    )


def _asked_to_reconsider(case: Case, event: ReconsiderationRequested) -> Case:
    if event.second_officer is not None and not event.reopens:
        return replace(case, reconsideration=None)
    return replace(case, reconsideration=Reconsideration(event.number, event.officer, event.second_officer))


def _reopened(case: Case, event: CaseReopened) -> Case:
    """It stands where it stood; each stage asks anew what was being asked (`Closing.partners`)."""
    closing = case.closing
    if closing is None:
        return case
    took_part = (officer for officer in (event.officer, event.second_officer) if officer)
    return replace(
        case,
        stage=closing.stage,
        outcome=None,
        reason=None,
        closed_at=None,
        stops=(*case.stops, Pause(closing.at, event.at)),
        held=bool(closing.waiting),
        held_answers=closing.waiting,
        referrals=tuple(_undone(r) if r.number == event.referral else r for r in case.referrals),
        officers=(*case.officers, *took_part),
        retracted=None,
        reconsideration=None,
    )


def _undone(referral: Referral) -> Referral:
    return replace(referral, decision="approve", confirmed=False, settled=False)


STAGE: Final = Stage(
    name=None,
    events=(
        event(
            FactRetracted,
            _retracted,
            Words("What was reported ({kind}) was taken back.", "Se retiró lo que se había informado ({kind})."),
        ),
        event(
            ReconsiderationRequested,
            _asked_to_reconsider,
            Words(
                "Officer {officer} asked that the denial of question {number} be reconsidered.",
                "El oficial {officer} pidió que se reconsidere la negativa de la pregunta {number}.",
            ),
        ),
        event(
            CaseReopened,
            _reopened,
            Words("The case was opened again.", "El caso se abrió de nuevo."),
        ),
    ),
    messages=(
        message(
            OfficerReconsideration,
            reconsider,
            "An officer asks that a denied case be opened again; a second officer must confirm it.",
            {"officer": "o-3", "why": "new-evidence"},
            said=_reconsidered,
            after_close=True,
        ),
    ),
)
"""Of every family whose facts may be taken back; before all its other stages, which look at what is left."""
