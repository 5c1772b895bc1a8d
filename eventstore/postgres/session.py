"""A pool of connections and its end, whatever became of its server; statements with named parameters; errors."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import asyncpg

from eventstore.conflicts import StoreUnavailable

CLOSE_TIMEOUT_S: Final = 10.0
"""What is under way ends in ms; a server that hangs must not keep a program from ending."""

_NAMED: Final = re.compile(r"(?<![:\w]):([a-z_]+)")


class Statement:
    """A statement whose parameters have names, `:name`, as the driver wants it: `fetch(*STATEMENT(name=value))`."""

    __slots__ = ("_names", "_sql")

    def __init__(self, text: str) -> None:
        names = tuple(dict.fromkeys(_NAMED.findall(text)))
        self._names = frozenset(names), names
        self._sql = _NAMED.sub(lambda found: f"${names.index(found[1]) + 1}", text)

    def __call__(self, **values: Any) -> tuple[Any, ...]:
        """The statement and its parameters by position. Raises TypeError where one is missing or not known."""
        known, names = self._names
        if values.keys() != known:
            raise TypeError(f"parameters that differ: {sorted(values.keys() ^ known)}")
        return (self._sql, *[values[name] for name in names])


def call(function: str, parameters: Iterable[str], **expressions: str) -> str:
    """A call of a function of ours: each parameter `p_<name>` is `:<name>`, or the expression given for it."""
    given = {name: f":{name}" for name in parameters} | expressions
    return f"{function}({', '.join(f'p_{name} => {value}' for name, value in given.items())})"


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
