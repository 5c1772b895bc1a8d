"""A place, the authorization, its holds, and what is reported before travel."""

from domain import events as e
from domain.case import Authorization, Case, Crossing
from domain.evolve.changes import Handlers, forward, replace, unchanged, without_answers_of


def _waitlisted(case: Case, event: e.Waitlisted) -> Case:
    return replace(case, waitlisted_at=event.at)


def _authorized(case: Case, event: e.TravelAuthorized) -> Case:
    return replace(
        case,
        waitlisted_at=None,
        authorization=Authorization(event.last_day, event.at, event.period),
        stage=forward(case, "travel_authorization"),
    )


def _extended(case: Case, event: e.TravelAuthorizationExtended) -> Case:
    if case.authorization is None:
        return case
    authorization = replace(case.authorization, last_day=event.last_day, set_at=event.at, extended=True)
    return replace(case, authorization=authorization)


def _travel_held(case: Case, event: e.TravelAuthorizationHeld) -> Case:
    return replace(case, travel_held=True)


def _released(case: Case, event: e.TravelAuthorizationReleased) -> Case:
    return replace(case, travel_held=False, passport_unchecked=False)


def _expired(case: Case, event: e.TravelAuthorizationExpired) -> Case:
    if case.authorization is None:
        return case
    return replace(case, authorization=replace(case.authorization, last_day=event.last_day, set_at=event.at))


def _crossing(case: Case, event: e.IrregularCrossingRecorded) -> Case:
    return replace(case, crossings=(*case.crossings, Crossing(event.country, event.crossed_at, case.next_event_id)))


def _passport_changed(case: Case, event: e.PassportChanged) -> Case:
    beneficiary = case.require_beneficiary()
    changed = beneficiary.model_copy(
        update={"passport": event.passport, "surnames": event.surnames or beneficiary.surnames}
    )
    case = replace(case, beneficiary=changed, beneficiary_fact=case.next_event_id)
    if case.authorization is None:
        return case
    return replace(
        case,
        vetting_ok=False,
        vet_again=case.request_to("vetting") is None,
        passport_unchecked=True,
        held_answers=without_answers_of(case, "vetting."),
    )


HANDLERS: Handlers = {
    e.Waitlisted: _waitlisted,
    e.TravelAuthorized: _authorized,
    e.TravelAuthorizationExtended: _extended,
    e.TravelAuthorizationHeld: _travel_held,
    e.TravelAuthorizationReleased: _released,
    e.TravelAuthorizationRevoked: unchanged,
    e.TravelAuthorizationExpired: _expired,
    e.IrregularCrossingRecorded: _crossing,
    e.PassportChanged: _passport_changed,
    e.ParoleRefused: unchanged,
}
