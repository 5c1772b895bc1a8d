"""Places under the cap (decision 11): what an append may ask of them.

`month` is always the current month of domain time in America/New_York, `YYYY-MM`; the store itself remembers in
which month each case took its place. A reserved place counts as taken. Whatever the interleaving, no more places
are taken than the programme's head allows in its period, the total or the month.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TakePlace:
    """With `TravelAuthorized`: the case has a place from now on and leaves the waiting list.

    Raises `NoPlace` unless it holds a reservation, or a place is free and nobody waits ahead of it.
    """

    month: str


@dataclass(frozen=True, slots=True)
class JoinWaitingList:
    """With `Waitlisted`: first come by `ready_at`. Raises `PlaceFree` where a place is free and nobody waits."""

    ready_at: datetime
    month: str


@dataclass(frozen=True, slots=True)
class LeaveWaitingList:
    """The case no longer waits; a reservation that it held passes to the next in the same transaction.

    Harmless where the case does not wait.
    """

    month: str


@dataclass(frozen=True, slots=True)
class FreePlace:
    """The case gives its place back; it is reserved for the head of the waiting list in the same transaction.

    Under a monthly cap a place freed after its month is lost.
    """

    month: str


@dataclass(frozen=True, slots=True)
class AllotPlaces:
    """Reserves whatever is free for the heads of the waiting list: a month began, places or the rules changed."""

    month: str


PlaceChange = TakePlace | JoinWaitingList | LeaveWaitingList | FreePlace | AllotPlaces
