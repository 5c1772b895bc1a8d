"""What the gateway and the relay stand on, opened from the settings of a process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import asyncpg
import httpx2

from cases.clock import clock_of
from cases.repository import CaseRepository
from config import ConfigurationError, Settings
from domain.rules.rule_set import bundled_rule_book
from eventstore.documents import PostgresDocuments
from eventstore.keys import DirectoryKeyStore
from eventstore.lookups import Lookups
from eventstore.partner_calls import PartnerStandings
from eventstore.postgres import PostgresStore
from eventstore.postgres_errors import translated
from eventstore.postgres_partner_calls import PostgresUnanswered
from eventstore.postgres_pool import close_pool
from eventstore.store import StoreUnavailable
from gateway.deliveries import Deliveries
from gateway.deps import GatewayDeps
from gateway.figures import PostgresFigures
from gateway.limits import PostgresLimits
from gateway.refusals import PostgresRefusals
from gateway.scopes import PostgresScopes
from gateway.senders import Senders
from gateway.tokens import OPEN, Tokens
from gateway.tokens_keys import IssuerKeys, keys_at
from gateway.upkeep import Prune, prune_refusals

FIGURES_CONNECTIONS = 2
"""Figures are for pages and never crowd out a message."""
DOCUMENT_CONNECTIONS = 2
"""Megabytes take their time, and never a connection from a message."""
GUARD_CONNECTIONS = 4
"""What is refused, or is to be counted, never takes a connection from what is taken."""

Backing = GatewayDeps


@asynccontextmanager
async def open_backing(settings: Settings) -> AsyncIterator[Backing]:
    """The event store and what reads it, for the life of a process; it notifies nobody itself.

    Raises:
        ConfigurationError: no database is named.
        StoreUnavailable: it cannot be reached, or does not know this login; the text says which.
    """
    keys = DirectoryKeyStore(settings.keys_directory)
    store = await _connect(settings.required_database_url, keys)
    try:
        cases = CaseRepository(store, store.inbox, Lookups(await keys.pepper()), bundled_rule_book())
        async with _figures(settings.required_database_url) as figures:
            yield GatewayDeps(
                cases=cases,
                store=store,
                inbox=store.inbox,
                figures=figures,
                clock=clock_of(settings),
            )
    finally:
        await store.close()


@asynccontextmanager
async def guarded(backing: Backing, settings: Settings) -> AsyncIterator[GatewayDeps]:
    """`backing` as the gateway stands on it: callers known and held to their pace and scope, refusals on record.

    Raises:
        ConfigurationError: the partners' keys cannot be read, or no issuer of tokens is named where they are required.
        StoreUnavailable: the database cannot be reached.
    """
    senders = Senders.of(settings)
    async with (
        open_tokens(settings) as tokens,
        open_deliveries(settings) as deliveries,
        open_documents(settings) as documents,
        _side_pool(settings.required_database_url, "passage guard", GUARD_CONNECTIONS) as pool,
    ):

        async def note_repeat(source: str, message_id: str) -> None:
            with translated():
                await pool.execute("SELECT passage.note_repeat($1, $2)", source, message_id)

        yield replace(
            backing,
            senders=senders,
            tokens=tokens,
            deliveries=deliveries,
            documents=documents,
            record_refusal=PostgresRefusals(pool),
            admit=PostgresLimits(pool, settings.sender_rate_per_s, settings.sender_burst),
            was_asked=PostgresScopes(pool),
            note_repeat=note_repeat,
        )


@asynccontextmanager
async def open_tokens(settings: Settings) -> AsyncIterator[Tokens]:
    """By whom callers are known. Raises `ConfigurationError` where nobody could ever be."""
    required = not settings.unsigned_messages
    if settings.token_issuer is None or settings.token_keys_url is None:
        if required:
            raise ConfigurationError(
                "nobody can be known who files, reads or decides: set PASSAGE_TOKEN_ISSUER and PASSAGE_TOKEN_KEYS_URL"
            )
        yield OPEN
        return
    async with httpx2.AsyncClient(trust_env=False, follow_redirects=False) as http:
        keys = IssuerKeys(keys_at(settings.token_keys_url, http))
        try:
            yield Tokens(settings.token_issuer, settings.token_audience, keys.find, required)
        finally:
            await keys.close()


@asynccontextmanager
async def open_deliveries(settings: Settings) -> AsyncIterator[Deliveries]:
    """What came in, for whoever asks. Raises `StoreUnavailable`."""
    async with _side_pool(settings.required_database_url, "passage deliveries", 1) as pool:
        yield Deliveries(pool)


@asynccontextmanager
async def open_documents(settings: Settings) -> AsyncIterator[PostgresDocuments]:
    """What applicants show, over connections that no message waits for. Raises `StoreUnavailable`."""
    async with _side_pool(settings.required_database_url, "passage documents", DOCUMENT_CONNECTIONS) as pool:
        yield PostgresDocuments(pool, DirectoryKeyStore(settings.keys_directory))


@asynccontextmanager
async def open_pruning(settings: Settings) -> AsyncIterator[Prune]:
    """What forgets old refusals. Raises `StoreUnavailable`."""
    async with _side_pool(settings.required_database_url, "passage upkeep", 1) as pool:
        yield partial(prune_refusals, pool)


@asynccontextmanager
async def open_standings(settings: Settings) -> AsyncIterator[PartnerStandings]:
    """How partners stand, for whoever asks. Raises `StoreUnavailable`."""
    async with _side_pool(settings.required_database_url, "passage standings", 1) as pool:
        yield PostgresUnanswered(pool)


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
    async with _side_pool(database_url, "passage figures", FIGURES_CONNECTIONS) as pool:
        yield PostgresFigures(pool)


@asynccontextmanager
async def _side_pool(database_url: str, name: str, connections: int) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    with translated():
        pool = await asyncpg.create_pool(
            database_url,
            min_size=0,
            max_size=connections,
            command_timeout=5,
            timeout=10,
            server_settings={"application_name": name, "role": "passage_writer", "jit": "off"},
        )
    try:
        yield pool
    finally:
        await close_pool(pool)
