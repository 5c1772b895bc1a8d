"""What every program that reads or writes cases needs: the event store, the keys, the rules and the clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cases.clock import Clock, ScaledClock, SystemClock
from cases.repository import CaseRepository
from domain.rules.rule_set import bundled_rule_book
from eventstore.format.envelope import machine_clock
from eventstore.format.lookups import Lookups
from eventstore.keys import DirectoryKeyStore
from eventstore.postgres.inbox import PostgresInbox
from eventstore.postgres.store import PostgresStore
from process.config import Settings

WRITER: Final = "passage_writer"
CONNECTIONS: Final = 16


@dataclass(frozen=True, slots=True)
class Backing:
    """The event store and everything that is read or decided over it."""

    store: PostgresStore
    cases: CaseRepository
    keys: DirectoryKeyStore
    clock: Clock

    @property
    def inbox(self) -> PostgresInbox:
        """The inbox of the same database."""
        return self.store.inbox

    def now(self) -> datetime:
        """Domain time, by this machine's clock."""
        return self.clock.now(machine_clock())


def clock_of(settings: Settings) -> Clock:
    """The clock of a process: the server's own, unless its settings name two moments that coincide."""
    domain_epoch, server_epoch = settings.clock_domain_epoch, settings.clock_server_epoch
    if domain_epoch is None or server_epoch is None:
        return SystemClock()
    return ScaledClock(domain_epoch, server_epoch, settings.clock_factor)


@asynccontextmanager
async def open_backing(
    settings: Settings, *, role: str = WRITER, connections: int = CONNECTIONS
) -> AsyncIterator[Backing]:
    """The backing that the settings name, for the life of a program.

    Raises:
        ConfigurationError: no database is named.
        StoreUnavailable: the database cannot be reached.
        asyncpg.PostgresError: it does not know this login.
    """
    keys = DirectoryKeyStore(settings.keys_directory)
    url, clock = settings.required_database_url, clock_of(settings)
    async with opened_backing(url, keys, clock, role=role, connections=connections) as backing:
        yield backing


@asynccontextmanager
async def opened_backing(
    database_url: str, keys: DirectoryKeyStore, clock: Clock, *, role: str = WRITER, connections: int = CONNECTIONS
) -> AsyncIterator[Backing]:
    """The backing over these parts. Raises as `open_backing`."""
    store = await PostgresStore.connect(database_url, keys, role=role, connections=connections)
    try:
        lookups = Lookups(await keys.pepper())
        yield Backing(store, CaseRepository(store, store.inbox, lookups, bundled_rule_book()), keys, clock)
    finally:
        await store.close()
