"""The one place through which time enters: the server's clock, mapped to domain time (decision 7).

The server's clock is the machine's in production and follows skipped time under a test server; an activity knows it as
`activity.info().started_time`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The mapping between the server's clock and domain time. All moments are aware."""

    @property
    def grace(self) -> timedelta:
        """How long, on the server's clock, a deadline waits for a message that was received before it to be durable."""
        ...

    def now(self, server_time: datetime) -> datetime:
        """The domain's moment when the server's clock shows `server_time`."""
        ...

    def server_time(self, domain_time: datetime) -> datetime:
        """What the server's clock shows at `domain_time`: when a timer for it must fire."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """Production: domain time is the server's."""

    grace: timedelta = timedelta(seconds=2)
    """A gateway takes some ms from its stamp to its commit; two seconds outlast a failover of the connection."""

    def now(self, server_time: datetime) -> datetime:
        """`server_time` itself."""
        return server_time

    def server_time(self, domain_time: datetime) -> datetime:
        """`domain_time` itself."""
        return domain_time


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """A demonstration: `factor` domain seconds pass in one second, counted from two moments that coincide."""

    domain_epoch: datetime
    server_epoch: datetime
    factor: float
    grace: timedelta = timedelta(milliseconds=100)
    """Short, since it is days where a factor makes days of it."""

    def __post_init__(self) -> None:
        if self.factor <= 0:
            raise ValueError("a clock's factor is above 0")

    def now(self, server_time: datetime) -> datetime:
        """Domain time, `factor` times as far from its epoch as `server_time` is from its own."""
        return self.domain_epoch + (server_time - self.server_epoch) * self.factor

    def server_time(self, domain_time: datetime) -> datetime:
        """The inverse of `now`, to the microsecond."""
        return self.server_epoch + (domain_time - self.domain_epoch) / self.factor
