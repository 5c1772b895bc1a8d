"""What the gateway stands on, put together by whoever runs it: a process, a simulation, a test."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import Depends, Request

from activities.casebook import CaseBook
from activities.clock import Clock
from activities.ring import InboxBell
from eventstore.inbox import Inbox
from eventstore.store import EventStore
from gateway.figures import ProgrammeFigures

Ring = Callable[[Iterable[InboxBell]], Awaitable[None]]
"""Signals, and starts where none runs, the workflows of these cases; raises when one could not be told."""

ReadFigures = Callable[[str, str], Awaitable[ProgrammeFigures | None]]
"""Programme and month `YYYY-MM` to its figures; None where it was never opened."""


def machine_time() -> datetime:
    """This machine's moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDeps:
    """The parts of one gateway."""

    book: CaseBook
    store: EventStore
    inbox: Inbox
    figures: ReadFigures
    clock: Clock
    server_now: Callable[[], datetime] = machine_time
    """The server's moment, of which `clock` makes domain time."""
    ring: Ring | None = None
    """Set, each message is rung before it is answered. None leaves it to the relay, which is a few hundredths of a
    second later and the only process beside the worker that may talk to Temporal."""

    def now(self) -> datetime:
        """Domain time: the `received_at` of what comes in now."""
        return self.clock.now(self.server_now())


def _deps_of(request: Request) -> GatewayDeps:
    return cast("GatewayDeps", request.app.state.deps)


Deps = Annotated[GatewayDeps, Depends(_deps_of)]
"""A route's access to the parts."""
