"""Travel authorization: a place, the authorization, its extension, holds, expiry, and arrival's refusal."""

from datetime import datetime, timedelta

from domain import messages as m
from domain.calendar import day_of, month_of
from domain.decide.draft import Draft
from domain.decide.vetting import request_vetting
from domain.events import (
    CaseClosed,
    CaseEvent,
    IrregularCrossingRecorded,
    ParoleRefused,
    PassportChanged,
    TravelAuthorizationExpired,
    TravelAuthorizationExtended,
    TravelAuthorizationHeld,
    TravelAuthorizationReleased,
    TravelAuthorized,
    Waitlisted,
)
from domain.limits import asking_days, authorization_last_day
from domain.rejection import Rejection
from domain.rules.beneficiary import sole_nationality
from domain.rules.entry import irregular_entry
from domain.rules.passport import passport_validity
from domain.rules.vetting import removal_order, vetting


def authorize(draft: Draft) -> tuple[CaseEvent, ...]:
    """The case is ready: authorize it if a place is there and it still qualifies, else let it wait."""
    if draft.world.place == "none":
        return () if draft.case.waitlisted_at else (Waitlisted(at=draft.now),)
    rules = (sole_nationality, passport_validity, irregular_entry, removal_order, vetting)
    results = tuple(rule(draft.case, draft.world) for rule in rules)
    basis = draft.basis(*results)
    failed = next((result.rule for result in results if result.result == "failed"), None)
    if failed is not None:
        return draft.closing("ineligible", failed, basis)
    last_day = draft.today + timedelta(days=draft.world.rules.authorization_days)
    return (TravelAuthorized(at=draft.now, basis=basis, last_day=last_day, period=month_of(draft.now)),)


def judge_crossings(draft: Draft) -> tuple[CaseEvent, ...]:
    """An irregular entry after the notice makes ineligible, or revokes."""
    result = irregular_entry(draft.case, draft.world)
    if result.result == "passed":
        return ()
    return draft.closing("ineligible", "irregular-entry", draft.basis(result))


def release(draft: Draft) -> tuple[CaseEvent, ...]:
    """Lift the hold, now that a supporter is confirmed and vetting is clear, if a changed passport is valid."""
    case = draft.case
    results = (passport_validity(case, draft.world),) if case.passport_unchecked else ()
    basis = draft.basis(*results)
    if any(result.result == "failed" for result in results):
        return draft.closing("ineligible", "passport-validity", basis)
    return (TravelAuthorizationReleased(at=draft.now, basis=basis),)


def vet_again(draft: Draft) -> tuple[CaseEvent, ...]:
    """A new passport is vetted at once, also while a supporter is missing."""
    return request_vetting(draft) if draft.case.vet_again else ()


def change_passport(draft: Draft, message: m.PassportChange, received_at: datetime) -> None:
    """Record the new passport; an authorization is held until it is vetted.

    Raises:
        Rejection: the beneficiary was already paroled.
    """
    if draft.case.parole:
        raise Rejection("already-paroled")
    at = draft.at(received_at)
    draft.add(PassportChanged(at=at, passport=message.passport, surnames=message.surnames))
    if draft.case.authorization and not draft.case.travel_held:
        draft.add(TravelAuthorizationHeld(at=at, because="passport"))


def extend(draft: Draft, received_at: datetime) -> None:
    """Extend once, when asked in time. (The border agency decided each; granted here: project decision.)

    Raises:
        Rejection: not authorized, already extended, or asked after the last asking day.
    """
    require_travelling(draft)
    world, authorization = draft.world, draft.case.authorization
    last_day = asking_days(draft.case, world.programme, world.rules)
    if authorization is None or last_day is None:
        raise Rejection("not-authorized")
    if authorization.extended:
        raise Rejection("already-extended")
    asked_on = day_of(world.programme.pauses[-1].since if world.programme.suspended else received_at)
    if asked_on > last_day - timedelta(days=world.rules.extension_notice_days):
        raise Rejection("too-late")
    extended_to = last_day + timedelta(days=world.rules.extension_days)
    draft.add(TravelAuthorizationExtended(at=draft.at(received_at), last_day=extended_to))


def require_travelling(draft: Draft) -> None:
    """From `TravelAuthorized` to arrival, held or suspended too.

    Raises:
        Rejection: before or after that.
    """
    if draft.case.parole:
        raise Rejection("already-paroled")
    if draft.case.authorization is None:
        raise Rejection("not-authorized")


def refuse_arrival(draft: Draft, message: m.ArrivalRefused, received_at: datetime) -> None:
    """The port of entry refused parole: the case closes at once.

    Raises:
        Rejection: the case is not authorized to travel.
    """
    require_travelling(draft)
    at = draft.at(received_at)
    draft.add(
        ParoleRefused(at=at, port=message.port, why=message.why),
        CaseClosed(at=at, outcome="refused_at_port", reason="port-of-entry"),
    )


def record_crossing(draft: Draft, message: m.IrregularCrossingReport, received_at: datetime) -> None:
    """Record a reported crossing; what follows is the case's next step (`judge_crossings`)."""
    draft.add(
        IrregularCrossingRecorded(at=draft.at(received_at), country=message.country, crossed_at=message.crossed_at)
    )


def expire(draft: Draft, due_at: datetime) -> None:
    """The last day of the authorization is over and nobody travelled."""
    last_day = authorization_last_day(draft.case, draft.world.programme, draft.world.rules)
    if last_day is not None:
        at = draft.at(due_at)
        draft.add(
            TravelAuthorizationExpired(at=at, last_day=last_day),
            CaseClosed(at=at, outcome="expired", reason="authorization-expired"),
        )


def end_supporter_limit(draft: Draft) -> None:
    """Nobody took the supporter's place in time."""
    draft.add(*draft.closing("not_confirmed", "supporter-withdrew"))
