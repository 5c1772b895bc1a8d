"""From arrival to the end of parole: parole, the work permit, the notice, the end."""

from datetime import datetime, timedelta

from domain import messages as m
from domain.calendar import day_of
from domain.decide.draft import Draft
from domain.decide.travel import require_travelling
from domain.events import (
    CaseClosed,
    CaseEvent,
    ParoleEnded,
    ParoleEnding,
    ParoleGranted,
    WorkPermitApplied,
    WorkPermitEligible,
    WorkPermitIneligible,
)
from domain.limits import parole_last_day
from domain.rejection import Rejection


def grant_parole(draft: Draft, message: m.ArrivalParoled, received_at: datetime) -> None:
    """The border paroled the beneficiary: open requests, referrals and holds end.

    Raises:
        Rejection: the case is not authorized to travel, or was paroled before.
    """
    require_travelling(draft)
    paroled_on = day_of(received_at)
    last_day = message.until or paroled_on + timedelta(days=draft.world.rules.parole_days)
    draft.add(ParoleGranted(at=draft.at(received_at), port=message.port, paroled_on=paroled_on, last_day=last_day))


def apply_for_work_permit(draft: Draft, received_at: datetime) -> None:
    """The applicant applies, once, after parole.

    Raises:
        Rejection: before parole, or a second time.
    """
    if draft.case.parole is None:
        raise Rejection("not-paroled")
    if draft.case.work_permit is not None:
        raise Rejection("already-applied")
    draft.add(WorkPermitApplied(at=draft.at(received_at), request_id=draft.case.next_event_id))


def on_eligible(draft: Draft, message: m.WorkPermitEligibleAnswer) -> tuple[CaseEvent, ...]:
    """The work permit office says yes."""
    return (WorkPermitEligible(at=draft.now, why=message.why),)


def on_ineligible(draft: Draft, message: m.WorkPermitIneligibleAnswer) -> tuple[CaseEvent, ...]:
    """The work permit office says no."""
    return (WorkPermitIneligible(at=draft.now, why=message.why),)


def give_notice(draft: Draft, due_at: datetime) -> None:
    """Say that parole ends, on the day it will."""
    last_day = parole_last_day(draft.case, draft.world.programme)
    if last_day is not None:
        draft.add(ParoleEnding(at=draft.at(due_at), last_day=last_day))


def end_parole(draft: Draft, due_at: datetime) -> None:
    """Parole is over and the case complete."""
    last_day = parole_last_day(draft.case, draft.world.programme)
    if last_day is not None:
        at = draft.at(due_at)
        draft.add(ParoleEnded(at=at, last_day=last_day), CaseClosed(at=at, outcome="completed"))
