"""What an append carries beside its events, worked out from the case before and after them. Pure."""

from collections.abc import Iterable
from datetime import datetime

from domain.calendar import month_of
from domain.case import Case, Request
from domain.commands import Command, MeetDeadline
from domain.events import CaseEvent, TravelAuthorized, Waitlisted
from eventstore.format.summarize import summarize as summarize  # noqa: PLC0414  said here too: it is one of the consequences
from eventstore.places import AllotPlaces, FreePlace, JoinWaitingList, LeaveWaitingList, PlaceChange, TakePlace
from eventstore.port import OpenedCall


def place_change(
    before: Case, after: Case, events: Iterable[CaseEvent], command: Command, now: datetime
) -> PlaceChange | None:
    """What the decision does to the programme's places (decision 11)."""
    month = month_of(now)
    for event in events:
        if isinstance(event, TravelAuthorized):
            return TakePlace(month)
        if isinstance(event, Waitlisted):
            return JoinWaitingList(event.at, month)
    if after.closed and not before.closed and after.authorization and not after.parole:
        return FreePlace(month)
    if before.waitlisted_at and not after.waitlisted_at:
        return LeaveWaitingList(month)
    if isinstance(command, MeetDeadline) and command.name == "month":
        return AllotPlaces(month)
    return None


def opened_calls(before: Case, after: Case) -> tuple[OpenedCall, ...]:
    """The requests that the decision stated and that partners are now owed (decision 6)."""
    return tuple(OpenedCall(r.request_id, r.partner) for r in _only_in(after.requests, before.requests))


def dropped_calls(before: Case, after: Case) -> tuple[str, ...]:
    """The requests that were answered or became void."""
    return tuple(request.request_id for request in _only_in(before.requests, after.requests))


def _only_in(these: tuple[Request, ...], those: tuple[Request, ...]) -> tuple[Request, ...]:
    return tuple(request for request in these if request not in those)
