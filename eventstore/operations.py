"""What operators and the gateway's guard see and keep beside the log: statistics, deliveries, refusals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple, Protocol

from eventstore.inbox import Answer
from eventstore.places import PoolPeriod

DEAD_AFTER: Final = 10
"""A message notified so often, some five minutes, that no worker took: somebody must look."""

DeliveryState = Literal["accepted", "rejected", "undecided", "dead"]


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """A pool at one moment."""

    pool: str
    places: int
    period: PoolPeriod
    taken: int
    """Taken and not freed, by whichever programme; under a monthly cap in the current month."""


@dataclass(frozen=True, slots=True)
class ProgrammeStatistics:
    """A programme at one moment."""

    status: Literal["open", "suspended", "terminated"]
    rules_version: str
    authorized: int
    """Its own places taken and not freed; under a monthly cap those of the current month."""
    waiting: int
    """Its cases that are ready and for which there is no place yet."""
    pools: tuple[PoolStatistics, ...]
    """Those that it draws on, alone or with others."""


class Statistics(Protocol):
    """Counts of a programme, taken where the cap is kept."""

    async def programme(self, programme: str, month: str) -> ProgrammeStatistics | None:
        """The statistics of `programme` in `month`, of one moment; None where it was never opened."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message in the inbox, without its content."""

    number: int
    stream: str
    """The case, or the programme."""
    source: str
    message_id: str
    kind: str
    proof: str
    """By what its sender was known."""
    received_at: datetime
    answer: Answer | None
    code: str | None
    deliveries: int
    """How often it came, the first time included."""
    notifications: int
    """How often its case was notified, while it has no answer."""
    notified_at: datetime | None

    @property
    def state(self) -> DeliveryState:
        """Its answer, or how it waits."""
        return self.answer or ("dead" if self.notifications >= DEAD_AFTER else "undecided")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries; None is any."""

    source: str | None = None
    stream: str | None = None
    number: int | None = None
    message_id: str | None = None
    undecided: bool = False
    dead: bool = False
    before: int | None = None
    """Only those with a lower number: the next page."""
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One request that was refused. Texts are empty where nothing is known."""

    partner: str
    """The partner whose address it was sent to."""
    route: str
    code: str
    sender: str
    """The identity that was proven, or claimed where unsigned messages are taken."""
    message_id: str
    """Only one that is well formed."""


@dataclass(frozen=True, slots=True)
class RefusalView:
    """Refusals that are alike, of one minute."""

    partner: str
    route: str
    code: str
    sender: str
    message_id: str
    times: int
    first_at: datetime
    last_at: datetime


class Deliveries(Protocol):
    """Reads the inbox as operators ask for it, and has cases notified anew."""

    async def find(self, wanted: DeliveryFilter) -> tuple[Delivery, ...]:
        """The latest first."""
        ...

    async def refusals(self, partner: str | None, limit: int) -> tuple[RefusalView, ...]:
        """What was refused, the latest first."""
        ...

    async def redrive(self, numbers: list[int]) -> frozenset[int]:
        """Have the relay notify these at once; those that wait."""
        ...


class Granted(NamedTuple):
    """Tokens of a sender's bucket: how many, and with none in how many seconds there is one."""

    tokens: int
    wait_s: float


class Guard(Protocol):
    """What the gateway keeps of its callers. Every method raises `StoreUnavailable`."""

    async def record_refusals(self, refusals: Mapping[Refusal, int]) -> None:
        """Count each so often, in one transaction; durable when this returns."""
        ...

    async def record_refusal(self, refusal: Refusal) -> None:
        """Count one; durable when this returns."""
        ...

    async def prune_refusals(self) -> int:
        """Forget a portion of the refusals that are too old or too many; how many."""
        ...

    async def take_tokens(self, sender: str, rate_per_s: float, burst: float, wanted: int) -> Granted:
        """Take up to `wanted` tokens from the sender's bucket, which all gateways share."""
        ...

    async def was_asked(self, case_id: str, partner: str) -> bool | None:
        """Whether the partner was ever asked about this case; None where there is no such case."""
        ...

    async def revoke_token(self, digest: bytes, expires_at: datetime) -> None:
        """Its holder signed out; kept until it would have expired anyway."""
        ...

    async def token_is_revoked(self, digest: bytes) -> bool:
        """Whether its holder signed out."""
        ...

    async def note_read(self, caller: str, case_id: str) -> None:
        """The caller reads this case's status or events."""
        ...

    async def prune_reads(self) -> int:
        """Forget a portion of the reads that are too old; how many."""
        ...

    async def note_repeat(self, source: str, message_id: str) -> None:
        """Count a delivery after the first."""
        ...
