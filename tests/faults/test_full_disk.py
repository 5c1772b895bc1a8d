"""A disk that is made full really fails the database, and what was committed is there afterwards."""

import asyncio
import contextlib
from pathlib import Path

import asyncpg

from stack.postgres.server import EmbeddedPostgres
from tests.chaos.disk import Disk

ROWS = 2000
FILLS_UP_WITHIN = 100


async def insert(url: str) -> None:
    """A megabyte that cannot be made smaller."""
    connection = await asyncpg.connect(url, timeout=5)
    try:
        await connection.execute(
            "INSERT INTO filled SELECT gen_random_uuid()::text || gen_random_uuid()::text || repeat('x', 400) "
            f"FROM generate_series(1, {ROWS})"
        )
    finally:
        await connection.close(timeout=5)


async def inserted(url: str) -> int:
    """How often it can be done until the disk is full."""
    for taken in range(FILLS_UP_WITHIN):
        try:
            await insert(url)
        except (asyncpg.DiskFullError, asyncpg.InternalServerError, asyncpg.PostgresConnectionError, OSError):
            return taken
    return FILLS_UP_WITHIN


async def until_it_takes_more(server: EmbeddedPostgres, url: str) -> None:
    """It may have ended itself: then it is started again, as a supervisor does."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError):
                await insert(url)
                return
            if not await asyncio.to_thread(answers, server):
                await server.stop()
                await server.start()
            await asyncio.sleep(0.1)


def answers(server: EmbeddedPostgres) -> bool:
    return server._process is not None and server._process.poll() is None


async def test_nothing_committed_is_lost_when_the_disk_is_full(home: Path) -> None:
    disk = Disk(home / "postgres")
    with disk.mounted():
        async with EmbeddedPostgres(home / "postgres") as server:
            url = server.url()
            connection = await asyncpg.connect(url)
            await connection.execute("CREATE TABLE filled (words text)")
            await connection.close()
            await insert(url)
            with disk.full():
                taken = 1 + await inserted(url)
            assert taken < FILLS_UP_WITHIN
            await until_it_takes_more(server, url)
            connection = await asyncpg.connect(url)
            found = await connection.fetchval("SELECT count(*) FROM filled")
            assert found in {(taken + more) * ROWS for more in (1, 2)}  # one was perhaps committed and not confirmed
            await connection.close()
