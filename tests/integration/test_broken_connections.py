"""A database that ends sessions, or hangs, is unavailable for a moment: never a defect, and no reason not to end."""

import asyncio
import random
import time
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from eventstore.conflicts import StoreUnavailable
from eventstore.keys import DirectoryKeyStore
from eventstore.postgres.connections import close_pool
from eventstore.postgres.store import PostgresStore
from tests.chaos.proxy import Link

STORM_S = 2.0
READERS = 24
"""More than the store's pool has connections."""


async def test_sessions_that_the_server_ends_are_an_outage_and_nothing_else(database_url: str, tmp_path: Path) -> None:
    store = await PostgresStore.connect(database_url, DirectoryKeyStore(tmp_path))
    ending = await asyncpg.connect(database_url)
    until, outages = time.monotonic() + STORM_S, 0

    async def keep_reading() -> None:
        nonlocal outages
        while time.monotonic() < until:
            try:
                await store.summary("VEN-7Q4K-M2XS")
            except StoreUnavailable:
                outages += 1

    async def keep_ending() -> None:
        while time.monotonic() < until:
            await ending.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'passage' AND datname = current_database()"
            )
            await asyncio.sleep(0.02)

    await asyncio.gather(keep_ending(), *(keep_reading() for _ in range(READERS)))
    assert outages > 0
    assert await store.summary("VEN-7Q4K-M2XS") is None
    await ending.close()
    await store.close()


async def test_a_pool_ends_though_its_server_hangs(database_url: str) -> None:
    parts = urlsplit(database_url)
    assert parts.hostname is not None
    assert parts.port is not None
    server = parts.hostname, parts.port
    link = Link("database", lambda: server, random.Random(1))  # noqa: S311  no secret
    async with link.listening():
        pool = await asyncpg.create_pool(
            database_url.replace(f":{parts.port}/", f":{link.port}/"), min_size=1, max_size=1
        )
        async with link.under("deaf"):
            reading = asyncio.create_task(pool.fetchval("SELECT 1"))
            await asyncio.sleep(0.1)
            began = time.monotonic()
            await close_pool(pool, timeout_s=0.5)
            assert time.monotonic() - began < 5
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
