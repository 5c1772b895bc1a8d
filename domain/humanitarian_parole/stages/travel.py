"""Travel authorization: a place, the authorization, its extension, holds, expiry, and refusal at the port."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import StringConstraints

from domain.humanitarian_parole.stages.beneficiary import PASSPORT_VALIDITY, passport_validity
from domain.humanitarian_parole.world import Draft
from domain.kernel.calendar import Deadline, Pause, day_of, end_of, month_of, paused_last_day, start_of_next_month
from domain.kernel.case import Case, replace, with_part
from domain.kernel.definition import (
    Events,
    LimitDefinition,
    Stage,
    Wait,
    Words,
    event,
    first_of,
    message,
    report,
)
from domain.kernel.events import Basis, CaseClosed, CaseEvent, FreeText, Personal
from domain.kernel.ids import Code
from domain.kernel.messages import Message, Rejection, TakeMessage
from domain.kernel.programme import Programme
from domain.kernel.rule_set import RuleSet

ALLOTMENT = "air"
"""What every case takes one place of."""

Port = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class ExtensionRequest(Message):
    """The supporter asks to extend the authorization."""

    SENDERS = ("supporter",)
    message: Literal["authorization.extension_requested"] = "authorization.extension_requested"


class ArrivalRefused(Message):
    """The beneficiary was refused at the port."""

    SENDERS = ("border",)
    message: Literal["arrival.refused"] = "arrival.refused"
    port: Port
    why: FreeText = ""


class Waitlisted(CaseEvent):
    """Ready, and no place free: first come by `at`."""


class TravelAuthorized(CaseEvent):
    """The beneficiary may travel, and has a place."""

    last_day: date
    """The last day of the authorization, America/New_York."""
    period: str
    """The calendar month, `YYYY-MM` in America/New_York, in which the place was taken."""


class TravelAuthorizationExtended(CaseEvent):
    """The authorization has a later last day."""

    last_day: date


class TravelAuthorizationHeld(CaseEvent):
    """Nobody boards until it is released."""

    because: Literal["supporter", "passport"]


class TravelAuthorizationReleased(CaseEvent):
    """The hold is lifted."""


class TravelAuthorizationRevoked(CaseEvent):
    """The authorization was withdrawn."""

    reason: Code


class TravelAuthorizationExpired(CaseEvent):
    """The last day is over and nobody travelled."""

    last_day: date


class ParoleRefused(CaseEvent):
    """The port of entry refused parole."""

    port: Port
    why: Annotated[FreeText, Personal(erased="")] = ""


@dataclass(frozen=True, slots=True)
class Authorization:
    """A travel authorization; `last_day` as it was set at `set_at` (pauses since then are the programme's)."""

    last_day: date
    set_at: datetime
    period: str
    extended: bool = False


@dataclass(frozen=True)
class Travel:
    """Whether the case waits for a place or has one, and whether the beneficiary may travel."""

    waitlisted_at: datetime | None = None
    authorization: Authorization | None = None
    held: bool = False
    passport_unchecked: bool = False
    """A passport changed after authorization, and its validity was not yet judged."""
    used_at: datetime | None = None
    """When the beneficiary arrived and was paroled: what happens to the programme later does not count."""


def waits_for_place(case: Case) -> bool:
    """It is on the waiting list."""
    return not case.closed and case.of(Travel).waitlisted_at is not None


def holds_place(case: Case) -> bool:
    """It has a place that would be free if it closed now."""
    travel = case.of(Travel)
    return travel.authorization is not None and travel.used_at is None


def _pauses_that_count(case: Case, programme: Programme) -> tuple[Pause, ...]:
    """The pauses that an authorization knows: what happens to the programme after arrival or closing does not count.

    One that ended in a pause stays without a last day, since none was known then.
    """
    ended_at = case.of(Travel).used_at or case.closed_at
    if ended_at is None:
        return programme.pauses
    return tuple(
        pause if pause.until is None or pause.until <= ended_at else Pause(pause.since, None)
        for pause in programme.pauses
        if pause.since < ended_at
    )


def authorization_last_day(case: Case, programme: Programme, rules: RuleSet) -> date | None:
    """The last day of the travel authorization; None without one, or while it is paused."""
    authorization = case.of(Travel).authorization
    if authorization is None:
        return None
    pauses = _pauses_that_count(case, programme)
    return paused_last_day(authorization.last_day, authorization.set_at, pauses, rules.pause_floor)


def authorized_until(case: Case, programme: Programme, rules: RuleSet) -> datetime | None:
    """The first instant after the last day of the authorization, in UTC; None without one, or while paused."""
    last_day = authorization_last_day(case, programme, rules)
    return None if last_day is None else end_of(last_day)


def _asking_days(case: Case, programme: Programme, rules: RuleSet) -> date | None:
    """The last day as it stands now, in the calendar of the day of suspension while the programme is suspended."""
    if not programme.suspended:
        return authorization_last_day(case, programme, rules)
    before = replace(programme, pauses=programme.pauses[:-1])
    return authorization_last_day(case, before, rules)


def running(case: Case, now: datetime, rules: RuleSet, programme: Programme) -> Iterable[Deadline]:
    """The end of the authorization, and the next month's places for who waits for one."""
    until = authorized_until(case, programme, rules)
    if until is not None and not programme.suspended:
        yield Deadline(until, "authorization")
    if waits_for_place(case) and programme.cap_period == "month":
        yield Deadline(start_of_next_month(now), "month")


def authorize(draft: Draft) -> Events:
    """The case is ready: authorize it if a place is there and it still qualifies, else let it wait."""
    if draft.world.place == "none":
        return () if waits_for_place(draft.case) else (Waitlisted(at=draft.now),)
    results = draft.family.tried("authorization", draft.case, draft.world)
    basis = draft.basis(*results)
    failed = next((result.rule for result in results if result.result == "failed"), None)
    if failed is not None:
        return draft.closing("ineligible", failed, basis)
    last_day = draft.today + timedelta(days=draft.world.rules.days("authorization"))
    return (TravelAuthorized(at=draft.now, basis=basis, last_day=last_day, period=month_of(draft.now)),)


def release(draft: Draft) -> Events:
    """Lift the hold, now that a supporter is confirmed and vetting is clear, if a changed passport is valid."""
    case, tried = draft.case, PASSPORT_VALIDITY in draft.world.rules.rules
    results = (passport_validity(case, draft.world),) if tried and case.of(Travel).passport_unchecked else ()
    basis = draft.basis(*results)
    if any(result.result == "failed" for result in results):
        return draft.closing("ineligible", PASSPORT_VALIDITY, basis)
    return (TravelAuthorizationReleased(at=draft.now, basis=basis),)


def carry_on(draft: Draft) -> Events:
    """Authorize a case that is ready, or lift the hold of one that was authorized."""
    travel = draft.case.of(Travel)
    if travel.authorization is None:
        return authorize(draft)
    return release(draft) if travel.held else ()


def hold(draft: Draft, because: Literal["supporter", "passport"], at: datetime) -> None:
    """Hold an authorization that stands and is not held already."""
    if holds_place(draft.case) and not draft.case.of(Travel).held:
        draft.add(TravelAuthorizationHeld(at=at, because=because))


def closing(draft: Draft, outcome: str, reason: str, basis: Basis | None) -> Events:
    """The case closes; an authorization that stands is revoked with the same reason first."""
    if holds_place(draft.case):
        return (
            TravelAuthorizationRevoked(at=draft.now, reason=reason, basis=basis),
            CaseClosed(at=draft.now, outcome="revoked", reason=reason, basis=basis),
        )
    return (CaseClosed(at=draft.now, outcome=outcome, reason=reason, basis=basis),)


def require_travelling(draft: Draft) -> Authorization:
    """The authorization: from `TravelAuthorized` to arrival, held or suspended too.

    Raises:
        Rejection: before or after that.
    """
    travel = draft.case.of(Travel)
    if travel.used_at:
        raise Rejection("already-paroled")
    if travel.authorization is None:
        raise Rejection("not-authorized")
    return travel.authorization


def extend(draft: Draft, message: ExtensionRequest, command: TakeMessage) -> None:
    """Extend once, when asked in time. (The border agency decided each; granted here: project decision.)

    Raises:
        Rejection: not authorized, already extended, or asked after the last asking day.
    """
    del message
    authorization, world = require_travelling(draft), draft.world
    last_day = _asking_days(draft.case, world.programme, world.rules)
    if last_day is None:
        raise Rejection("not-authorized")
    if authorization.extended:
        raise Rejection("already-extended")
    received_at = command.received_at
    asked_on = day_of(world.programme.pauses[-1].since if world.programme.suspended else received_at)
    if asked_on > last_day - timedelta(days=world.rules.days("extension-notice")):
        raise Rejection("too-late")
    extended_to = last_day + timedelta(days=world.rules.days("extension"))
    draft.add(TravelAuthorizationExtended(at=draft.not_before(received_at), last_day=extended_to))


def refuse_arrival(draft: Draft, message: ArrivalRefused, command: TakeMessage) -> None:
    """The port of entry refused parole: the case closes at once.

    Raises:
        Rejection: the case is not authorized to travel.
    """
    require_travelling(draft)
    at = draft.not_before(command.received_at)
    draft.add(
        ParoleRefused(at=at, port=message.port, why=message.why),
        CaseClosed(at=at, outcome="refused_at_port", reason="port-of-entry"),
    )


def _refused_arrival(events: Events) -> ArrivalRefused:
    refused = first_of(ParoleRefused, events)
    return ArrivalRefused(port=refused.port, why=refused.why)


def expire(draft: Draft, due_at: datetime) -> None:
    """The last day of the authorization is over and nobody travelled."""
    last_day = authorization_last_day(draft.case, draft.world.programme, draft.world.rules)
    if last_day is not None:
        at = draft.not_before(due_at)
        draft.add(
            TravelAuthorizationExpired(at=at, last_day=last_day),
            CaseClosed(at=at, outcome="expired", reason="authorization-expired"),
        )


def look_for_place(draft: Draft, due_at: datetime) -> None:
    """New places were given out by the append; what follows is the case's next step."""
    del draft, due_at


def _waitlisted(case: Case, event: Waitlisted) -> Case:
    return with_part(case, replace(case.of(Travel), waitlisted_at=event.at))


def _authorized(case: Case, event: TravelAuthorized) -> Case:
    authorization = Authorization(event.last_day, event.at, event.period)
    travel = replace(case.of(Travel), waitlisted_at=None, authorization=authorization)
    return with_part(case, travel, stage="travel_authorization")


def _with_last_day(case: Case, last_day: date, set_at: datetime, *, extended: bool) -> Case:
    travel = case.of(Travel)
    if travel.authorization is None:
        return case
    authorization = replace(travel.authorization, last_day=last_day, set_at=set_at, extended=extended)
    return with_part(case, replace(travel, authorization=authorization))


def _extended(case: Case, event: TravelAuthorizationExtended) -> Case:
    return _with_last_day(case, event.last_day, event.at, extended=True)


def _expired(case: Case, event: TravelAuthorizationExpired) -> Case:
    authorization = case.of(Travel).authorization
    return _with_last_day(case, event.last_day, event.at, extended=bool(authorization and authorization.extended))


def _held(case: Case, event: TravelAuthorizationHeld) -> Case:
    del event
    return with_part(case, replace(case.of(Travel), held=True))


def _released(case: Case, event: TravelAuthorizationReleased) -> Case:
    del event
    return with_part(case, replace(case.of(Travel), held=False, passport_unchecked=False))


STAGE = Stage(
    name="travel_authorization",
    title=Words("travel authorization", "autorización de viaje"),
    events=(
        event(
            Waitlisted,
            _waitlisted,
            Words(
                "All is done and no place is free: the case waits for one.",
                "Todo está completo y no hay cupo: el caso espera uno.",
            ),
        ),
        event(
            TravelAuthorized,
            _authorized,
            Words(
                "The beneficiary may travel until {last_day}, its last day.",
                "La persona beneficiaria puede viajar hasta el {last_day} inclusive.",
            ),
            lengths=("authorization",),
        ),
        event(
            TravelAuthorizationExtended,
            _extended,
            Words(
                "The authorization was extended until {last_day}.", "La autorización se prorrogó hasta el {last_day}."
            ),
            lengths=("extension", "extension-notice"),
        ),
        event(
            TravelAuthorizationHeld,
            _held,
            Words("The authorization is held: {because}.", "La autorización queda retenida: {because}."),
            codes={
                "supporter": Words("supporter", "persona de apoyo"),
                "passport": Words("the passport changed", "cambió el pasaporte"),
            },
        ),
        event(
            TravelAuthorizationReleased,
            _released,
            Words("The authorization is good again.", "La autorización vuelve a ser válida."),
        ),
        report(
            TravelAuthorizationRevoked,
            Words("The authorization was revoked: {reason}.", "La autorización fue revocada: {reason}."),
        ),
        event(
            TravelAuthorizationExpired,
            _expired,
            Words("The authorization ended on {last_day} unused.", "La autorización venció el {last_day} sin usarse."),
            lengths=("authorization",),
        ),
        report(ParoleRefused, Words("Parole was refused at {port}.", "Se negó el parole en {port}.")),
    ),
    messages=(
        message(ExtensionRequest, extend, "The supporter asks to extend the authorization.", {}),
        message(
            ArrivalRefused,
            refuse_arrival,
            "The beneficiary was refused at the port: closes.",
            {"port": "MIA", "why": "documents"},
            ends=True,
            said=_refused_arrival,
        ),
    ),
    limits=(
        LimitDefinition("authorization", expire, "the travel authorization ends"),
        LimitDefinition("month", look_for_place, "the next month's places", allots=ALLOTMENT),
    ),
    lengths=("authorization", "extension", "extension-notice"),
    waits={
        "place": Wait(Words("a place", "un cupo"), "a place becomes free: `place.offered`"),
        "arrival": Wait(
            Words("the beneficiary's arrival", "la llegada de la persona beneficiaria"),
            "the border reports: `arrival.paroled` or `arrival.refused`",
        ),
    },
    outcomes={
        "expired": Words("expired", "vencido"),
        "revoked": Words("revoked", "revocado"),
        "refused_at_port": Words("refused at the port of entry", "inadmitido en el puerto de entrada"),
    },
    reasons={
        "authorization-expired": Words("the authorization expired", "venció la autorización"),
        "port-of-entry": Words("refused at the port of entry", "inadmitido en el puerto de entrada"),
    },
    carry_on=carry_on,
    done=lambda case: case.of(Travel).authorization is not None and not case.of(Travel).held,
)
