"""What the gateway and the relay stand on, opened from the settings of a process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from activities.casebook import CaseBook
from activities.clock import clock_of
from config import Settings
from domain.rules.rule_set import bundled_rule_book
from eventstore.keys import DirectoryKeyStore
from eventstore.lookups import Lookups
from eventstore.postgres import PostgresStore
from eventstore.postgres_errors import translated
from eventstore.store import StoreUnavailable
from gateway.deps import GatewayDeps
from gateway.figures import PostgresFigures

FIGURES_CONNECTIONS = 2
"""Figures are for pages and never crowd out a message."""

Backing = GatewayDeps


@asynccontextmanager
async def open_backing(settings: Settings) -> AsyncIterator[Backing]:
    """The event store and what reads it, for the life of a process; it rings nothing itself.

    Raises:
        ConfigurationError: no database is named.
        StoreUnavailable: it cannot be reached, or does not know this login; the text says which.
    """
    keys = DirectoryKeyStore(settings.keys_directory)
    store = await _connect(settings.required_database_url, keys)
    try:
        book = CaseBook(store, store.inbox, Lookups(await keys.pepper()), bundled_rule_book())
        async with _figures(settings.required_database_url) as figures:
            yield GatewayDeps(
                book=book,
                store=store,
                inbox=store.inbox,
                figures=figures,
                clock=clock_of(settings.clock_domain_epoch, settings.clock_server_epoch, settings.clock_factor),
            )
    finally:
        await store.close()


async def _connect(database_url: str, keys: DirectoryKeyStore) -> PostgresStore:
    """The store; a failure names its kind alone, for the driver's own text may hold the address and the login."""
    try:
        return await PostgresStore.connect(database_url, keys)
    except StoreUnavailable as error:
        raise StoreUnavailable(f"the database cannot be reached ({error})") from None
    except asyncpg.PostgresError as error:
        raise StoreUnavailable(f"the database refuses the connection ({type(error).__name__})") from None


@asynccontextmanager
async def _figures(database_url: str) -> AsyncIterator[PostgresFigures]:
    with translated():
        pool = await asyncpg.create_pool(
            database_url,
            min_size=0,
            max_size=FIGURES_CONNECTIONS,
            command_timeout=5,
            timeout=10,
            server_settings={"application_name": "passage figures", "role": "passage_writer", "jit": "off"},
        )
    async with pool:
        yield PostgresFigures(pool)
