"""What the gateway stands on, put together by whoever runs it: a process, a simulation, a test.

Temporal is not among it: the relay alone notifies, so that the process that meets the world holds no way into it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import Depends, Request

from cases.clock import Clock
from cases.repository import CaseRepository
from eventstore.documents import PostgresDocuments
from eventstore.inbox import Inbox
from eventstore.store import EventStore
from gateway.deliveries import Deliveries
from gateway.figures import ProgrammeFigures
from gateway.limits import unlimited
from gateway.refusals import Refusal, unrecorded
from gateway.scopes import WasAsked, everybody_was
from gateway.senders import NOBODY, Senders
from gateway.tokens import CLOSED, Tokens

ReadFigures = Callable[[str, str], Awaitable[ProgrammeFigures | None]]
"""Programme and month `YYYY-MM` to its figures; None where it was never opened."""

RecordRefusal = Callable[[Refusal], Awaitable[None]]
"""Puts a refusal on record; raises `StoreUnavailable` where it could not."""
Admit = Callable[[str], Awaitable[None]]
"""Returns if this sender may go on; raises the `Problem` that says when."""
NoteRepeat = Callable[[str, str], Awaitable[None]]
"""Source and message id of a message that came again."""


async def unnoted(_source: str, _message_id: str) -> None:
    """Keeps nothing: for simulations."""


def machine_time() -> datetime:
    """This machine's moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDeps:
    """The parts of one gateway."""

    cases: CaseRepository
    store: EventStore
    inbox: Inbox
    figures: ReadFigures
    clock: Clock
    server_now: Callable[[], datetime] = machine_time
    """The server's moment, of which `clock` makes domain time."""
    senders: Senders = NOBODY
    """Who may send messages, and how each is known."""
    tokens: Tokens = CLOSED
    """Who may file, ask and decide."""
    record_refusal: RecordRefusal = unrecorded
    admit: Admit = unlimited
    was_asked: WasAsked = everybody_was
    note_repeat: NoteRepeat = unnoted
    documents: PostgresDocuments | None = None
    """What applicants show; without it there are none."""
    deliveries: Deliveries | None = None
    """What the pages show; without it there are none."""

    def now(self) -> datetime:
        """Domain time: the `received_at` of what comes in now."""
        return self.clock.now(self.server_now())


async def _deps_of(request: Request) -> GatewayDeps:
    return cast("GatewayDeps", request.app.state.deps)


Deps = Annotated[GatewayDeps, Depends(_deps_of)]
"""A route's access to the parts."""
