"""The driver's errors as the port's."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from eventstore.conflicts import StoreUnavailable


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
