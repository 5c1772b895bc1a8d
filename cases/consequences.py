"""What an append carries beside its events, worked out from the case before and after them. Pure."""

from datetime import datetime

from domain import registry
from domain.kernel.calendar import month_of
from domain.kernel.case import Case, Request
from domain.kernel.definition import Places
from domain.kernel.events import CaseEvent
from domain.kernel.messages import Command, MeetDeadline
from eventstore.places import (
    AllotPlaces,
    FreePlace,
    JoinWaitingList,
    LeaveWaitingList,
    PassOver,
    PlaceChange,
    ResumeTurn,
    TakePlace,
)
from eventstore.port import OpenedCall


def place_change(
    before: Case, after: Case, events: tuple[CaseEvent, ...], command: Command, now: datetime
) -> PlaceChange | None:
    """What the decision does to the programme's places."""
    month = month_of(now)
    family = registry.family_of(after.case_id)
    wanted = family.places(before, after, events)
    if wanted is not None:
        return _placed(wanted, month)
    allots = family.limits[command.name].allots if isinstance(command, MeetDeadline) else None
    return AllotPlaces(month, allots) if allots is not None else None


def _placed(wanted: Places, month: str) -> PlaceChange:
    match wanted.change:
        case "take":
            return TakePlace(wanted.allotment, month, wanted.quantity)
        case "join" if wanted.ready_at is not None:
            return JoinWaitingList(wanted.allotment, wanted.ready_at, month, wanted.quantity)
        case "leave":
            return LeaveWaitingList(wanted.allotment, month)
        case "pass-over":
            return PassOver(wanted.allotment, month)
        case "resume":
            return ResumeTurn(wanted.allotment, month)
        case _:
            return FreePlace(wanted.allotment, month, wanted.quantity)


def opened_calls(before: Case, after: Case) -> tuple[OpenedCall, ...]:
    """The requests that the decision stated and that partners are now owed (decision 6)."""
    return tuple(OpenedCall(r.request_id, r.partner) for r in _only_in(after.requests, before.requests))


def dropped_calls(before: Case, after: Case) -> tuple[str, ...]:
    """The requests that were answered or became void."""
    return tuple(request.request_id for request in _only_in(before.requests, after.requests))


def _only_in(these: tuple[Request, ...], those: tuple[Request, ...]) -> tuple[Request, ...]:
    return tuple(request for request in these if request not in those)
