"""What was refused is kept for a bounded time and in a bounded number, and nothing is forgotten sooner."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TypeAlias

import asyncpg
import pytest

from eventstore.postgres.operations import PostgresGuard

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

_REFUSED = """
INSERT INTO passage.refusal (minute, partner, route, code, sender, message_id, times, first_at, last_at)
SELECT date_trunc('minute', now() - $1::interval - make_interval(mins => n)), 'vetting', '/v1', 'malformed', '', '', 1,
       now(), now()
FROM generate_series(1, $2) AS n
"""


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with asyncpg.create_pool(database_url, min_size=0, max_size=2) as opened:
        yield opened


async def refuse(pool: Pool, ago: timedelta, times: int) -> None:
    """Refusals of so many minutes, before `ago`."""
    await pool.execute(_REFUSED, ago, times)


async def kept(pool: Pool) -> int:
    count: int = await pool.fetchval("SELECT count(*) FROM passage.refusal")
    return count


async def test_after_ninety_days_a_refusal_is_forgotten(pool: Pool) -> None:
    await refuse(pool, timedelta(days=89), 10)
    await refuse(pool, timedelta(days=90), 7)
    assert await PostgresGuard(pool).prune_refusals() == 7
    assert await kept(pool) == 10
    assert await PostgresGuard(pool).prune_refusals() == 0


async def test_more_than_are_kept_are_forgotten_oldest_first_and_in_portions(pool: Pool) -> None:
    await refuse(pool, timedelta(), 50)
    for pruned in (8, 8, 8, 5, 0):
        assert await pool.fetchval("SELECT passage.prune_refusals_beyond(interval '90 days', 20, 8)") == pruned
    assert await kept(pool) == 21
    assert await pool.fetchval("SELECT now() - min(minute) < interval '23 minutes' FROM passage.refusal")


@pytest.mark.parametrize(
    "statement", ["DELETE FROM passage.refusal", "SELECT passage.prune_refusals_beyond('0', 0, 9)"]
)
async def test_the_application_forgets_nothing_sooner(pool: Pool, statement: str) -> None:
    await refuse(pool, timedelta(hours=1), 3)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE passage_writer")
        assert await connection.fetchval("SELECT passage.prune_refusals()") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
