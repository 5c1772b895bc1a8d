"""The parts of a gateway, put together by whatever runs it: a process, a simulation, a test.

Temporal is not among them: the process that outsiders reach has no connection to Temporal. The relay notifies cases.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import Depends, Request

from cases.clock import Clock
from cases.inbound.senders import NOBODY, Senders
from cases.repository import CaseRepository
from eventstore.inbox import Inbox
from eventstore.operations import Deliveries, Refusal, Statistics
from eventstore.port import EventStore
from eventstore.postgres.documents import PostgresDocuments
from eventstore.postgres.sealed import PostgresSealedLog
from gateway.http.limits import Misses, unlimited
from gateway.http.protection import Protection
from gateway.http.refusals import unrecorded
from gateway.identity.tokens import CLOSED, Tokens

RecordRefusal = Callable[[Refusal], Awaitable[None]]
"""Records a refusal. Raises `StoreUnavailable` if it is not recorded."""
Admit = Callable[[str], Awaitable[None]]
"""Returns if this caller may go on now; raises the `Problem` that says when. What it does stands before who it is."""
WasAsked = Callable[[str, str], Awaitable[bool | None]]
"""Case and partner: whether the partner was ever asked about this case; None if there is no such case."""
NoteRepeat = Callable[[str, str], Awaitable[None]]
"""Counts a delivery after the first; given source and message id."""


NoteRead = Callable[[str, str], Awaitable[None]]
"""Keeps that a caller reads a case; given both."""
Revoke = Callable[[bytes, datetime], Awaitable[None]]
"""Makes a token useless until it expires; given its digest and that moment."""


async def unrevoked(_digest: bytes, _expires_at: datetime) -> None:
    """Forgets it: for simulations, where nobody signs in."""


async def unnoted(_source: str, _message_id: str) -> None:
    """Counts nothing: for simulations."""


async def always_asked(_case_id: str, _partner: str) -> bool | None:
    """Lets every partner speak about every case: for simulations, where the case judges an answer out of turn."""
    return True


def machine_time() -> datetime:
    """Now, by this machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDeps:
    """The parts of one gateway."""

    cases: CaseRepository
    store: EventStore
    inbox: Inbox
    statistics: Statistics
    clock: Clock
    server_now: Callable[[], datetime] = machine_time
    """The server's time, which `clock` maps to domain time."""
    senders: Senders = NOBODY
    """Who may send messages, and how each is identified."""
    tokens: Tokens = CLOSED
    """Whose tokens are believed."""
    record_refusal: RecordRefusal = unrecorded
    admit: Admit = unlimited
    was_asked: WasAsked = always_asked
    note_repeat: NoteRepeat = unnoted
    note_read: NoteRead = unnoted
    revoke: Revoke = unrevoked
    misses: Misses = field(default_factory=Misses)
    """What callers asked for that is not there."""
    protection: Protection = field(default_factory=Protection)
    """What holds for every request, whatever its route."""
    documents: PostgresDocuments | None = None
    """Applicants' documents; None: the routes answer `not-found`."""
    sealed_log: PostgresSealedLog | None = None
    """What `/v1/log` reads; None: the routes answer `not-found`."""
    deliveries: Deliveries | None = None
    """What the pages show; None: they answer `not-found`."""

    def now(self) -> datetime:
        """Domain time: the `received_at` of a message that comes in now."""
        return self.clock.now(self.server_now())


async def _deps_of(request: Request) -> GatewayDeps:
    return cast("GatewayDeps", request.app.state.deps)


Deps = Annotated[GatewayDeps, Depends(_deps_of)]
"""A route's access to the parts."""
