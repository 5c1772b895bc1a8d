"""What a process remembers of partners: what it hears itself is newer than what it was just reading."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast

import asyncpg
import pytest

from eventstore.partner_calls import CircuitTerms
from eventstore.postgres.partner_calls import PostgresCircuits

TERMS = CircuitTerms(
    failures_max=1, pause_first=timedelta(minutes=1), pause_max=timedelta(minutes=1), turn=timedelta(minutes=1)
)


class LatePool:
    """Hands out what `fetch` read only when it is told to."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self.read, self.handed_out = asyncio.Event(), asyncio.Event()

    async def fetch(self, statement: str) -> list[asyncpg.Record]:
        rows = await self._pool.fetch(statement)
        self.read.set()
        await self.handed_out.wait()
        return rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[LatePool]:
    async with asyncpg.create_pool(database_url, min_size=2, max_size=2) as opened:
        yield LatePool(opened)


async def test_a_partner_that_took_a_call_is_not_paused_by_what_was_read_before(pool: LatePool) -> None:
    circuits = PostgresCircuits(cast("asyncpg.Pool[asyncpg.Record]", pool), TERMS)
    assert await circuits.note_failed("vetting", probe=False) is not None
    reading = asyncio.create_task(circuits.pause("vetting"))
    await pool.read.wait()
    assert await circuits.note_taken("vetting")
    pool.handed_out.set()
    await reading
    assert await circuits.pause("vetting") is None
