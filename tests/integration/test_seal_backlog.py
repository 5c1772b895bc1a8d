"""A sealer that has much to do looks its events up, and never reads the whole log to find them."""

from pathlib import Path

import asyncpg

from audit.log.sealer import opened_sealer
from bench.made_log import EVENTS_A_CASE, make_log
from tests.support.sealed_log import ORIGIN

_READ = "SELECT seq_scan FROM pg_stat_user_tables WHERE schemaname = 'passage' AND relname = 'events'"


async def test_a_backlog_is_sealed_without_reading_the_whole_log(database_url: str, tmp_path: Path) -> None:
    await make_log(database_url, 500)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("VACUUM (ANALYZE)")
        before = await connection.fetchval(_READ)
        async with opened_sealer(database_url, tmp_path / "keys", ORIGIN) as sealer:
            sealed = 0
            while taken := await sealer.seal():
                sealed += taken
            async with sealer.pool.acquire() as of_sealer:
                await of_sealer.execute("SELECT pg_stat_force_next_flush()")
        assert sealed == 500 * EVENTS_A_CASE + 1
        await connection.execute("SELECT pg_stat_clear_snapshot()")
        assert await connection.fetchval(_READ) == before
    finally:
        await connection.close()
