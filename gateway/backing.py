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
        StoreUnavailable: it cannot be reached.
    """
    keys = DirectoryKeyStore(settings.keys_directory)
    store = await PostgresStore.connect(settings.required_database_url, keys)
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
