"""A pool of connections and its end, whatever became of its server; the driver's errors as the port's."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import asyncpg

from eventstore.conflicts import StoreUnavailable

CLOSE_TIMEOUT_S: Final = 10.0
"""What is under way ends in ms; a server that hangs must not keep a program from ending."""


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the driver as errors of the port.

    Raises:
        StoreUnavailable: the connection, a timeout, a lock, or a server that is starting or stopping.
    """
    try:
        yield
    except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as error:
        raise StoreUnavailable(type(error).__name__) from None
    except (
        asyncpg.TransactionRollbackError,  # deadlock, serialisation
        asyncpg.OperatorInterventionError,  # shutdown, crash of another backend, statement timeout
        asyncpg.InsufficientResourcesError,
        asyncpg.LockNotAvailableError,
        asyncpg.InternalClientError,  # the driver lost the thread: the server ended the session before it was asked
    ) as error:
        raise StoreUnavailable(type(error).__name__) from None


@asynccontextmanager
async def side_pool(database_url: str, name: str, connections: int) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """A small pool beside the store's, which `name` shows to administrators; no message waits for it.

    Raises:
        StoreUnavailable: the server cannot be reached.
    """
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


async def close_pool(pool: "asyncpg.Pool[asyncpg.Record]", timeout_s: float = CLOSE_TIMEOUT_S) -> None:
    """Close it; what is under way has `timeout_s` to end, and a connection that hangs or is broken is let go."""
    try:
        await asyncio.wait_for(pool.close(), timeout_s)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        pool.terminate()
