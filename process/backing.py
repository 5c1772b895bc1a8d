"""What every program that reads or writes cases needs: the event store, the keys, the rules and the clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx2

from cases.clock import Clock, ScaledClock, SystemClock
from cases.repository import CaseRepository
from eventstore.format.envelope import machine_clock
from eventstore.format.lookups import Lookups
from eventstore.keys import DirectoryKeyStore, FileMasterKey
from eventstore.postgres.inbox import PostgresInbox
from eventstore.postgres.store import PostgresStore
from process.config import ConfigurationError, Settings
from process.kms import KmsMasterKey

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
    url, clock = settings.required_database_url, clock_of(settings)
    async with (
        opened_keys(settings) as keys,
        opened_backing(url, keys, clock, role=role, connections=connections) as backing,
    ):
        yield backing


@asynccontextmanager
async def opened_keys(settings: Settings) -> AsyncIterator[DirectoryKeyStore]:
    """The keys of personal data, under the master key that the settings name.

    Raises:
        ConfigurationError: the file of the master key is missing or malformed.
    """
    if settings.kms_url is None or settings.kms_token is None:
        yield DirectoryKeyStore(settings.keys_directory, master=_master_file(settings.master_key))
        return
    async with httpx2.AsyncClient(trust_env=False, follow_redirects=False) as http:
        master = KmsMasterKey(settings.kms_url, settings.kms_key, settings.kms_token, http)
        yield DirectoryKeyStore(settings.keys_directory, master=master)


def _master_file(file: Path | None) -> FileMasterKey | None:
    try:
        return None if file is None else FileMasterKey(file)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"PASSAGE_MASTER_KEY: no key of 32 bytes ({type(error).__name__})") from None


@asynccontextmanager
async def opened_backing(
    database_url: str, keys: DirectoryKeyStore, clock: Clock, *, role: str = WRITER, connections: int = CONNECTIONS
) -> AsyncIterator[Backing]:
    """The backing over these parts. Raises as `open_backing`."""
    store = await PostgresStore.connect(database_url, keys, role=role, connections=connections)
    try:
        lookups = Lookups(await keys.pepper())
        yield Backing(store, CaseRepository(store, store.inbox, lookups), keys, clock)
    finally:
        await store.close()
