"""How a command reaches a running stack, and what it says when a part of it is away."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

import asyncpg
from pydantic import TypeAdapter, ValidationError
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from cli.errors import UnusableError
from domain.kernel.ids import CaseId
from eventstore.conflicts import StoreUnavailable
from eventstore.format.envelope import machine_clock
from eventstore.inbox import Inbox
from eventstore.operations import Statistics
from eventstore.port import EventStore
from process.backing import Backing, clock_of, open_backing
from process.config import Settings, load_settings
from process.logs import configure_logs
from process.temporal import connect_temporal

T = TypeVar("T")

_CASE_ID: Final = TypeAdapter[str](CaseId)
_AWAY: Final = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


@dataclass(frozen=True, slots=True)
class Reached:
    """A running stack, as one command sees it."""

    settings: Settings
    backing: Backing

    @property
    def store(self) -> EventStore:
        """The event store."""
        return self.backing.store

    @property
    def inbox(self) -> Inbox:
        """The inbox of the same database."""
        return self.backing.inbox

    @property
    def statistics(self) -> Statistics:
        """Statistics of the programmes."""
        return self.backing.store.statistics

    @property
    def now(self) -> datetime:
        """Domain time."""
        return self.backing.now()

    async def temporal(self) -> Client:
        """A client of the stack's Temporal. Raises `TemporalAway`."""
        try:
            return await connect_temporal(self.settings, "operator")
        except RuntimeError:  # the SDK's word for "no connection"
            raise TemporalAway(self.settings.temporal["target_host"]) from None


class TemporalAway(UnusableError):
    """Temporal cannot be reached."""

    def __init__(self, address: str) -> None:
        super().__init__(f"Temporal does not answer at {address}: start the stack with `passage up`, or set "
                         "TEMPORAL_ADDRESS")  # fmt: skip


def on_the_stack(work: Callable[[Reached], Awaitable[T]]) -> T:
    """Do `work` on the running stack and return what it returns.

    Raises:
        UnusableError: a part of the stack is away; one line says which.
        ConfigurationError: nothing says where the stack is.
    """
    settings = load_settings()
    configure_logs(settings.model_copy(update={"log_level": "error"}), "cli")
    settings.required_database_url  # noqa: B018  asked first: without a database nothing may be touched
    return asyncio.run(_within(settings, work))


def on_the_database(work: Callable[[Settings], Awaitable[T]], *, url_needed: bool = True) -> T:
    """Do `work` that needs the record alone, by any login that may read it; no Temporal. Raises as `on_the_stack`.

    `url_needed` False: the record is elsewhere, as in a backup.
    """
    settings = load_settings()
    configure_logs(settings.model_copy(update={"log_level": "error"}), "cli")
    if url_needed:
        settings.required_database_url  # noqa: B018  asked first, as above

    async def within() -> T:
        with _one_line_when_away(settings):
            return await work(settings)

    return asyncio.run(within())


def domain_now(settings: Settings) -> datetime:
    """Domain time, for work on the database."""
    return clock_of(settings).now(machine_clock())


async def _within(settings: Settings, work: Callable[[Reached], Awaitable[T]]) -> T:
    with _one_line_when_away(settings):
        async with open_backing(settings) as backing:
            return await work(Reached(settings, backing))


@contextmanager
def _one_line_when_away(settings: Settings) -> Iterator[None]:
    try:
        yield
    except StoreUnavailable:
        raise UnusableError(
            "the database does not answer: start the stack with `passage up`, or set PASSAGE_DATABASE_URL"
        ) from None
    except asyncpg.PostgresError as error:
        raise UnusableError(f"the database refuses ({type(error).__name__}): is it Passage's, and migrated?") from None
    except RPCError as error:
        if error.status in _AWAY:
            raise TemporalAway(settings.temporal["target_host"]) from None
        raise UnusableError(f"Temporal refuses ({error.status.name.lower()})") from None


def checked_case_id(text: str) -> CaseId:
    """`text` as the id of a case, in capitals. Raises UnusableError."""
    try:
        return _CASE_ID.validate_python(text.strip().upper())
    except ValidationError:
        raise UnusableError(
            f"{_shown(text)} is no case id: one looks like VEN-7Q4K-M2XS, and its last sign checks the others"
        ) from None


def _shown(text: str) -> str:
    """What was typed in place of an id may be anything, a person's name included: only what could be an id is shown."""
    return text if text.isascii() and len(text) <= 20 and any(sign.isdigit() for sign in text) else "that"
