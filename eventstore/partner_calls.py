"""The port of what is known of partners as such: who does not answer, and which answers never came.

Moments here are the machine's own time: it is about partners' machines, not about cases.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from domain.kernel.ids import Code

Heard = Literal["pending", "answered", "sent-again", "refused", "failed"]
"""What came of asking for an answer: not ready; here it is; never heard of it, so it was asked anew; will not say;
could not be asked."""


@dataclass(frozen=True, slots=True)
class CircuitTerms:
    """When calls to a partner pause, and for how long."""

    failures_max: int
    """So many calls fail in a row: then calls pause."""
    pause_first: timedelta
    pause_max: timedelta
    """Each pause is twice as long as the one before, to this."""
    turn: timedelta
    """How long the one call after a pause may take until another has its turn."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The call may go out; `probe`: it is the one that is to see whether the partner is back."""

    probe: bool = False


@dataclass(frozen=True, slots=True)
class Paused:
    """Calls to a partner pause: none was taken since `since`, and none goes out before `until`, `wait_s` from now."""

    since: datetime
    until: datetime
    wait_s: float


class Circuits(Protocol):
    """What all processes together know of whether partners answer."""

    async def pause(self, partner: Code) -> Paused | None:
        """The pause that is on, as far as this process knows: to be shown, not to be gone by."""
        ...

    async def admit(self, partner: Code) -> Admitted | Paused:
        """Whether a call may go out now."""
        ...

    async def note_failed(self, partner: Code, *, probe: bool) -> Paused | None:
        """Count a failed call; the pause, where it began with this one."""
        ...

    async def note_taken(self, partner: Code) -> bool:
        """A call was taken: the failures before it no longer count. True where calls had paused."""
        ...


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request that a partner took and has not answered in time; `asks` counts this asking too."""

    request_id: str
    case_id: str
    asks: int


class UnansweredCalls(Protocol):
    """The requests whose answers are to be asked for."""

    async def claim(
        self, partner: Code, *, accepted_before: datetime, again_after: timedelta, asks_max: int
    ) -> Unanswered | None:
        """The request that is overdue longest; nobody gets it again before `again_after`, twice that the next time."""
        ...

    async def note_heard(self, request_id: str, heard: Heard) -> None:
        """Keep what came of the asking."""
        ...


@dataclass(frozen=True, slots=True)
class PartnerStanding:
    """One partner at this moment, as operators see it."""

    partner: Code
    failures: int
    """Calls that failed in a row; 0 while it answers."""
    failing_since: datetime | None
    paused_until: datetime | None
    owed: int
    """Requests that it has not taken yet."""
    owed_since: datetime | None
    """When the oldest of them was stated, in the programme's time."""
    unanswered: int
    """Requests that it took and has not answered."""
    overdue: int
    """Of these, those whose answer should have come by now."""
    asked_in_vain: int
    """Of these, those for which it is not asked any more."""


class PartnerStandings(Protocol):
    """All partners at a glance."""

    async def standings(self, accepted_before: Mapping[Code, datetime], asks_max: int) -> tuple[PartnerStanding, ...]:
        """One for each partner of `accepted_before`: a request it took before that moment is overdue."""
        ...
