"""The end of a pool of connections, whatever became of its server."""

import asyncio
from typing import Final

import asyncpg

CLOSE_TIMEOUT_S: Final = 10.0
"""What is under way ends in ms; a server that hangs must not keep a program from ending."""


async def close_pool(pool: "asyncpg.Pool[asyncpg.Record]", timeout_s: float = CLOSE_TIMEOUT_S) -> None:
    """Close it; what is under way has `timeout_s` to end, and a connection that hangs or is broken is let go."""
    try:
        await asyncio.wait_for(pool.close(), timeout_s)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        pool.terminate()
