"""From arrival to the end of parole: parole, the work permit, the notice, the end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from domain.humanitarian_parole.application import PersonReference
from domain.humanitarian_parole.stages.entry import ProofOfEntry
from domain.humanitarian_parole.stages.filing import beneficiary_of
from domain.humanitarian_parole.stages.sponsor import Sponsor
from domain.humanitarian_parole.stages.travel import Port, Travel, require_travelling
from domain.humanitarian_parole.stages.vetting import SecurityVetting
from domain.humanitarian_parole.world import Draft
from domain.kernel.calendar import Deadline, day_of, days_after, end_of, start_of
from domain.kernel.case import Case, Request, answered, asked, replace, with_part
from domain.kernel.definition import (
    Events,
    LimitDefinition,
    PartnerDefinition,
    Stage,
    Wait,
    Words,
    answer,
    event,
    first_of,
    message,
)
from domain.kernel.events import CaseClosed, CaseEvent, FreeText, Personal
from domain.kernel.ids import MessageId
from domain.kernel.messages import Message, PartnerAnswer, PartnerCheck, Rejection, TakeMessage
from domain.kernel.programme import Programme
from domain.kernel.rule_set import RuleSet

PARTNER = "work_permit_office"

WorkPermit = Literal["applied", "eligible", "ineligible"]


class WorkPermitCheck(PartnerCheck):
    """Is this beneficiary, who was paroled, eligible to work?"""

    beneficiary: PersonReference

    @property
    def subject(self) -> str:
        """The number of the beneficiary's passport."""
        return self.beneficiary.passport_number


class ArrivalParoled(Message):
    """The beneficiary arrived by air and is paroled."""

    SENDERS = ("border",)
    message: Literal["arrival.paroled"] = "arrival.paroled"
    port: Port
    by: Literal["air"] = "air"
    until: date | None = None


class WorkPermitApplication(Message):
    """The beneficiary applies for a work permit."""

    SENDERS = ("applicant",)
    message: Literal["work_permit.applied"] = "work_permit.applied"


class WorkPermitEligibleAnswer(PartnerAnswer):
    """The office finds the beneficiary eligible to work."""

    SENDERS = (PARTNER,)
    message: Literal["work_permit.eligible"] = "work_permit.eligible"
    why: FreeText = ""


class WorkPermitIneligibleAnswer(PartnerAnswer):
    """The office finds the beneficiary not eligible."""

    SENDERS = (PARTNER,)
    message: Literal["work_permit.ineligible"] = "work_permit.ineligible"
    why: FreeText = ""


class ParoleGranted(CaseEvent):
    """The border paroled the beneficiary."""

    port: Port
    paroled_on: date
    last_day: date
    """The last day of parole, America/New_York."""
    by_border: bool = False
    """The border named the last day; else it follows from the rules."""


class WorkPermitApplied(CaseEvent):
    """A work permit was applied for, and the office asked."""

    request_id: MessageId


class WorkPermitEligible(CaseEvent):
    """The office says yes."""

    why: Annotated[FreeText, Personal(erased="")] = ""


class WorkPermitIneligible(CaseEvent):
    """The office says no."""

    why: Annotated[FreeText, Personal(erased="")] = ""


class ParoleEnding(CaseEvent):
    """Notice that parole ends on `last_day`."""

    last_day: date


class ParoleEnded(CaseEvent):
    """Parole is over."""

    last_day: date


@dataclass(frozen=True)
class Parole:
    """Parole as granted; a terminated programme may end it earlier (`parole_last_day`)."""

    last_day: date | None = None
    granted_at: datetime | None = None
    notified: date | None = None
    """The last day that the notice named."""
    work_permit: WorkPermit | None = None


def is_paroled(case: Case) -> bool:
    """The beneficiary arrived and was paroled."""
    return case.of(Parole).granted_at is not None


def parole_last_day(case: Case, programme: Programme) -> date | None:
    """The last day of parole: as granted, or the day a terminated programme ends it, whichever is earlier."""
    last_day = case.of(Parole).last_day
    if last_day is None or programme.parole_ends_on is None or case.closed:
        return last_day
    return min(last_day, programme.parole_ends_on)


def running(case: Case, rules: RuleSet, programme: Programme) -> Iterable[Deadline]:
    """The notice that parole ends, and its end."""
    last_day = parole_last_day(case, programme)
    if last_day is None:
        return
    end = Deadline(end_of(last_day), "parole-end")
    notified = case.of(Parole).notified
    if notified is None or notified > last_day:
        notice_at = start_of(days_after(last_day, -rules.days("parole-notice")))
        yield Deadline(min(notice_at, end.at), "parole-notice")
    yield end


def check_of(case: Case, request: Request) -> WorkPermitCheck:
    """What the work permit office is asked."""
    return WorkPermitCheck(
        request_id=request.request_id,
        case_id=case.case_id,
        requested_at=request.at,
        beneficiary=PersonReference.of(beneficiary_of(case)),
    )


def grant_parole(draft: Draft, message: ArrivalParoled, command: TakeMessage) -> None:
    """The border paroled the beneficiary: open requests, referrals and holds end.

    Raises:
        Rejection: the case is not authorized to travel, or was paroled before.
    """
    require_travelling(draft)
    received_at = command.received_at
    paroled_on = day_of(received_at)
    last_day = message.until or paroled_on + timedelta(days=draft.world.rules.days("parole"))
    at = draft.not_before(received_at)
    draft.add(
        ParoleGranted(
            at=at,
            port=message.port,
            paroled_on=paroled_on,
            last_day=last_day,
            by_border=message.until is not None,
        )
    )


def _said(events: Events) -> ArrivalParoled:
    granted = first_of(ParoleGranted, events)
    return ArrivalParoled(port=granted.port, until=granted.last_day if granted.by_border else None)


def apply_for_work_permit(draft: Draft, message: WorkPermitApplication, command: TakeMessage) -> None:
    """The applicant applies, once, after parole.

    Raises:
        Rejection: before parole, or a second time.
    """
    del message
    if not is_paroled(draft.case):
        raise Rejection("not-paroled")
    if draft.case.of(Parole).work_permit is not None:
        raise Rejection("already-applied")
    at = draft.not_before(command.received_at)
    draft.add(WorkPermitApplied(at=at, request_id=draft.case.next_event_id))


def on_eligible(draft: Draft, message: WorkPermitEligibleAnswer) -> Events:
    """The work permit office says yes."""
    return (WorkPermitEligible(at=draft.now, why=message.why),)


def on_ineligible(draft: Draft, message: WorkPermitIneligibleAnswer) -> Events:
    """The work permit office says no."""
    return (WorkPermitIneligible(at=draft.now, why=message.why),)


def give_notice(draft: Draft, due_at: datetime) -> None:
    """Say that parole ends, on the day it will."""
    last_day = parole_last_day(draft.case, draft.world.programme)
    if last_day is not None:
        draft.add(ParoleEnding(at=draft.not_before(due_at), last_day=last_day))


def end_parole(draft: Draft, due_at: datetime) -> None:
    """Parole is over and the case complete."""
    last_day = parole_last_day(draft.case, draft.world.programme)
    if last_day is not None:
        at = draft.not_before(due_at)
        draft.add(ParoleEnded(at=at, last_day=last_day), CaseClosed(at=at, outcome="completed"))


def _paroled(case: Case, event: ParoleGranted) -> Case:
    """Whatever was still asked of anybody before the arrival no longer matters."""
    for part in (
        Parole(last_day=event.last_day, granted_at=event.at),
        replace(case.of(ProofOfEntry), evidence_since=None, evidence_taken=False),
        replace(case.of(Sponsor), gone_at=None),
        replace(case.of(SecurityVetting), again=False),
        replace(case.of(Travel), held=False, waitlisted_at=None, used_at=event.at),
    ):
        case = with_part(case, part)
    return replace(
        case,
        stage="work_permit_eligibility",
        requests=(),
        referrals=tuple(r for r in case.referrals if r.settled),
        held=False,
        held_answers=(),
    )


def _applied(case: Case, event: WorkPermitApplied) -> Case:
    requests = asked(case, PARTNER, event.request_id, event.at)
    return with_part(case, replace(case.of(Parole), work_permit="applied"), requests=requests)


def _eligible(case: Case, event: WorkPermitEligible) -> Case:
    del event
    return with_part(case, replace(case.of(Parole), work_permit="eligible"), requests=answered(case, PARTNER))


def _ineligible(case: Case, event: WorkPermitIneligible) -> Case:
    del event
    return with_part(case, replace(case.of(Parole), work_permit="ineligible"), requests=answered(case, PARTNER))


def _ending(case: Case, event: ParoleEnding) -> Case:
    return with_part(case, replace(case.of(Parole), notified=event.last_day))


def _ended(case: Case, event: ParoleEnded) -> Case:
    return with_part(case, replace(case.of(Parole), last_day=event.last_day))


STAGE = Stage(
    name="work_permit_eligibility",
    title=Words("parole and work permit", "parole y permiso de trabajo"),
    lasts_years=True,
    events=(
        event(
            ParoleGranted,
            _paroled,
            Words(
                "Parole was granted at {port}, until {last_day}.", "Se otorgó el parole en {port}, hasta el {last_day}."
            ),
            lengths=("parole",),
        ),
        event(
            WorkPermitApplied,
            _applied,
            Words("A work permit was applied for.", "Se solicitó un permiso de trabajo."),
        ),
        event(
            WorkPermitEligible,
            _eligible,
            Words("The work permit office says yes.", "La oficina de permisos de trabajo dice que sí."),
        ),
        event(
            WorkPermitIneligible,
            _ineligible,
            Words("The work permit office says no.", "La oficina de permisos de trabajo dice que no."),
        ),
        event(
            ParoleEnding,
            _ending,
            Words("Notice was given that parole ends on {last_day}.", "Se avisó que el parole termina el {last_day}."),
            lengths=("parole-notice",),
        ),
        event(
            ParoleEnded,
            _ended,
            Words("Parole ended on {last_day}.", "El parole terminó el {last_day}."),
        ),
    ),
    messages=(
        message(
            ArrivalParoled,
            grant_parole,
            "The beneficiary arrived by air and is paroled.",
            {"port": "MIA", "by": "air", "until": "2024-11-19"},
            ends=True,
            said=_said,
        ),
        message(WorkPermitApplication, apply_for_work_permit, "The beneficiary applies for a work permit.", {}),
    ),
    partners=(
        PartnerDefinition(
            PARTNER,
            Words("the work permit office", "la oficina de permisos de trabajo"),
            waiting_on="work_permit_office",
            asks=WorkPermitCheck,
            check=check_of,
            answers=(
                answer(
                    WorkPermitEligibleAnswer,
                    on_eligible,
                    "The office finds the beneficiary eligible to work.",
                    said=lambda events: WorkPermitEligibleAnswer(why=first_of(WorkPermitEligible, events).why),
                ),
                answer(
                    WorkPermitIneligibleAnswer,
                    on_ineligible,
                    "The office finds the beneficiary not eligible.",
                    {"why": "category"},
                    said=lambda events: WorkPermitIneligibleAnswer(why=first_of(WorkPermitIneligible, events).why),
                ),
            ),
            waits_while_suspended=False,
        ),
    ),
    limits=(
        LimitDefinition("parole-notice", give_notice, "notice that parole ends"),
        LimitDefinition("parole-end", end_parole, "parole ends"),
    ),
    lengths=("parole", "parole-notice"),
    waits={
        "parole_end": Wait(
            Words("the end of parole", "el fin del parole"),
            "the beneficiary applies (`work_permit.applied`), or parole ends",
        ),
    },
)
