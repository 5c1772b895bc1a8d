"""Sponsor confirmation: the registry's answers, a supporter who withdraws, and one who takes their place."""

from datetime import datetime

from domain import messages as m
from domain.decide.draft import Draft
from domain.decide.referral import refer
from domain.events import (
    CaseEvent,
    SponsorConfirmationRequested,
    SponsorConfirmed,
    SponsorNotConfirmed,
    SponsorReplaced,
    SponsorWithdrew,
    TravelAuthorizationHeld,
)
from domain.rejection import Rejection
from domain.rules.supporter import supporter, supporter_by_officer, supporter_flags


def on_confirmed(draft: Draft) -> tuple[CaseEvent, ...]:
    """The registry confirms; what stands out against earlier cases still goes to an officer."""
    result = supporter(draft.case, draft.world)
    basis = draft.basis(result, earlier_supporter_cases=draft.world.earlier_supporter_cases)
    if result.result == "referred":
        return refer(draft, "supporter", supporter_flags(draft.world), basis=basis)
    return (SponsorConfirmed(at=draft.now, basis=basis),)


def on_not_confirmed(draft: Draft, message: m.SponsorNotConfirmedAnswer) -> tuple[CaseEvent, ...]:
    """The registry does not confirm: the case closes."""
    not_confirmed = SponsorNotConfirmed(at=draft.now, why=message.why)
    return (not_confirmed, *draft.closing("not_confirmed", "supporter"))


def approved_by_officer(draft: Draft) -> tuple[CaseEvent, ...]:
    """An officer approved the supporter."""
    return (SponsorConfirmed(at=draft.now, basis=draft.basis(supporter_by_officer(draft.case)), by_officer=True),)


def denied_by_officers(draft: Draft) -> tuple[CaseEvent, ...]:
    """Two officers denied the supporter."""
    return (SponsorNotConfirmed(at=draft.now, by_officer=True), *draft.closing("denied", "supporter"))


def withdraw_sponsor(draft: Draft, received_at: datetime) -> None:
    """The supporter steps back; after parole this changes nothing but the record.

    Raises:
        Rejection: no supporter stands behind the case.
    """
    if draft.case.supporter is None:
        raise Rejection("no-supporter")
    draft.add(SponsorWithdrew(at=draft.at(received_at)))
    if draft.case.authorization and not draft.case.parole and not draft.case.travel_held:
        draft.add(TravelAuthorizationHeld(at=draft.at(received_at), because="supporter"))


def replace_sponsor(draft: Draft, message: m.SponsorReplacement, received_at: datetime) -> None:
    """The applicant names another supporter, who is confirmed anew.

    Raises:
        Rejection: no supporter withdrew, or the limit to name another is over.
    """
    if draft.case.supporter_gone_at is None:
        raise Rejection("no-supporter-wanted")
    draft.add(SponsorReplaced(at=draft.at(received_at), supporter=message.supporter))


def request_confirmation(draft: Draft) -> tuple[CaseEvent, ...]:
    """Ask the registry about a supporter who took another's place, unless it or an officer is being asked."""
    case = draft.case
    if case.supporter is None or case.request_to("sponsor_registry") or case.has_referral("supporter"):
        return ()
    return (SponsorConfirmationRequested(at=draft.now, request_id=case.next_event_id),)
