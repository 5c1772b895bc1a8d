"""Places under the caps of pools (decision 11): what an append may ask of them.

A programme has allotments, and each draws on a pool, which other allotments and programmes may share; the pool has the
cap. `month` is always the current month of domain time in America/New_York, `YYYY-MM`; the store itself remembers in
which month each case took its places. Reserved places count as taken. Whatever the interleaving, no more places of a
pool are taken than its cap allows in its period, the total or the month.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

PoolPeriod: TypeAlias = Literal["total", "month"]


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool and its cap: so many places in all, or in each month."""

    pool: str
    places: int
    period: PoolPeriod
    named: bool = False
    """The governments named the number: a rule set's number does not replace it."""


@dataclass(frozen=True, slots=True)
class TakePlace:
    """With `TravelAuthorized`: the case has these places from now on.

    On the waiting list it wants so many less, and with none left to want it leaves the list. Raises `NoPlace` unless
    so many are reserved for it, or free and nobody waits ahead of it who could take of them.
    """

    allotment: str
    month: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class JoinWaitingList:
    """With `Waitlisted`: first come by `turn_at`. Raises `PlaceFree` where so many are free to it.

    `whole`: it takes all or nothing, and smaller ones behind it may pass; else it is given what there is, and waits for
    the rest.
    """

    allotment: str
    turn_at: datetime
    month: str
    quantity: int = 1
    whole: bool = True


@dataclass(frozen=True, slots=True)
class LeaveWaitingList:
    """The case no longer waits; what was reserved for it passes to the next in the same transaction.

    Harmless where the case does not wait.
    """

    allotment: str
    month: str


@dataclass(frozen=True, slots=True)
class PassOver:
    """The case is passed over and keeps its turn; what was reserved for it passes to the next."""

    allotment: str
    month: str


@dataclass(frozen=True, slots=True)
class ResumeTurn:
    """The case is passed over no longer."""

    allotment: str
    month: str


@dataclass(frozen=True, slots=True)
class FreePlace:
    """The case gives places back; they are reserved for the head of the waiting list in the same transaction.

    Under a monthly cap a place freed after its month is lost.
    """

    allotment: str
    month: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class AllotPlaces:
    """Reserves whatever is free for the heads of the waiting list: a month began, places or the rules changed.

    A case names the allotment that it waits for; a programme names none, and all its pools are looked at.
    """

    month: str
    allotment: str | None = None


PlaceChange = TakePlace | JoinWaitingList | LeaveWaitingList | PassOver | ResumeTurn | FreePlace | AllotPlaces
