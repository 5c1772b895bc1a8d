"""Travel authorization: a place, the authorization, its extension, holds, expiry, and refusal at the port."""

from datetime import date, datetime, timedelta

from domain.humanitarian_parole.stages.beneficiary import PASSPORT_VALIDITY, passport_validity
from domain.humanitarian_parole.stages.travel.events import (
    ArrivalRefused,
    ExtensionRequest,
    ParoleRefused,
    TravelAuthorizationExpired,
    TravelAuthorizationExtended,
    TravelAuthorizationHeld,
    TravelAuthorizationReleased,
    TravelAuthorizationRestored,
    TravelAuthorizationRevoked,
    TravelAuthorized,
    Waitlisted,
)
from domain.humanitarian_parole.stages.travel.state import (
    ALLOTMENT,
    FIRST,
    Authorization,
    Travel,
    asking_days,
    authorization_last_day,
    restored_last_day,
    waits_for_place,
    was_authorized,
)
from domain.humanitarian_parole.world import Draft
from domain.kernel.calendar import day_of, month_of
from domain.kernel.case import Case, replace, with_part
from domain.kernel.definition import (
    Events,
    LimitDefinition,
    Stage,
    Wait,
    Words,
    also,
    event,
    first_of,
    message,
    report,
    retractable,
)
from domain.kernel.events import Basis, CaseClosed, CaseReopened
from domain.kernel.messages import Rejection, TakeMessage


def authorize(draft: Draft) -> Events:
    """The case is ready: authorize it if a place is there and it still qualifies, else let it wait."""
    if draft.world.place == "none":
        return () if waits_for_place(draft.case) else (Waitlisted(at=draft.now, turn_at=draft.case.of(Travel).turn_at),)
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
    return release(draft) if travel.held and travel.lapsed_at is None else ()


def restore(draft: Draft) -> Events:
    """An authorization that was lost comes back when the case is open again and has a place, before all who wait."""
    if draft.case.of(Travel).lapsed_at is None:
        return ()
    if draft.world.place == "none":
        return () if waits_for_place(draft.case) else (Waitlisted(at=draft.now, turn_at=FIRST),)
    last_day = restored_last_day(draft.case, draft.world.programme, draft.world.rules, draft.today)
    return (
        TravelAuthorizationRestored(at=draft.now, basis=draft.basis(), last_day=last_day, period=month_of(draft.now)),
    )


def holding(draft: Draft, because: str, at: datetime) -> Events:
    """The hold of an authorization that is not held already."""
    if not was_authorized(draft.case) or draft.case.of(Travel).held:
        return ()
    return (TravelAuthorizationHeld(at=at, because=because),)


def hold(draft: Draft, because: str, at: datetime) -> None:
    """Hold an authorization that is not held already."""
    draft.add(*holding(draft, because, at))


def doubt(draft: Draft, question: str) -> Events:
    """News puts a question into doubt: nobody travels until officers have approved."""
    return holding(draft, question, draft.now)


def closing(draft: Draft, outcome: str, reason: str, basis: Basis | None) -> Events:
    """The case closes; an authorization that stands is revoked with the same reason first."""
    if was_authorized(draft.case):
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
    last_day = asking_days(draft.case, world.programme, world.rules)
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
    facts = () if draft.fact is None else (draft.fact,)
    draft.add(
        ParoleRefused(at=at, port=message.port, why=message.why),
        CaseClosed(at=at, outcome="refused_at_port", reason="port-of-entry", facts=facts),
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
    return with_part(case, replace(case.of(Travel), waitlisted_at=event.turn_at or event.at, turn_at=None))


def _authorized(case: Case, event: TravelAuthorized) -> Case:
    authorization = Authorization(event.last_day, event.at, event.period)
    travel = replace(case.of(Travel), waitlisted_at=None, authorization=authorization)
    return with_part(case, travel, stage="travel_authorization")


def _reopened(case: Case, event: CaseReopened) -> Case:
    del event
    """It left the list when it closed; an authorization is lost until it is given back."""
    travel = case.of(Travel)
    if not was_authorized(case):
        return with_part(case, replace(travel, waitlisted_at=None, turn_at=travel.waitlisted_at))
    lapsed_at = travel.lapsed_at or (case.closing.at if case.closing else None)
    return with_part(case, replace(travel, waitlisted_at=None, lapsed_at=lapsed_at))


def _restored(case: Case, event: TravelAuthorizationRestored) -> Case:
    travel, before = case.of(Travel), case.of(Travel).authorization
    extended = before is not None and before.extended
    authorization = Authorization(event.last_day, event.at, event.period, extended)
    return with_part(case, replace(travel, authorization=authorization, waitlisted_at=None, lapsed_at=None))


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
                "mexico-entry": Words("entry into Mexico", "ingreso a México"),
                "vetting": Words("security vetting", "revisión de seguridad"),
                "passport": Words("the passport changed", "cambió el pasaporte"),
            },
        ),
        event(
            TravelAuthorizationReleased,
            _released,
            Words("The authorization is good again.", "La autorización vuelve a ser válida."),
        ),
        also(CaseReopened, _reopened),
        event(
            TravelAuthorizationRestored,
            _restored,
            Words(
                "The authorization stands again until {last_day}.",
                "La autorización vuelve a estar vigente hasta el {last_day}.",
            ),
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
        retractable(
            message(
                ArrivalRefused,
                refuse_arrival,
                "The beneficiary was refused at the port: closes.",
                {"port": "MIA", "why": "documents"},
                ends=True,
                said=_refused_arrival,
            )
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
