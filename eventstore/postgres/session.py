"""Statements with named parameters, and the driver's errors as those of the port."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import asyncpg

from eventstore.conflicts import StoreUnavailable

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
