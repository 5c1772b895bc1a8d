"""Reads whole streams as stored, in one snapshot, with the role that may read the log and nothing more."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from audit.log.tables import Connection
from eventstore.format.envelope import EVENT_COLUMNS, Envelope
from eventstore.keys import CaseKey, KeyDestroyed, KeyStore
from eventstore.postgres.connections import connect
from eventstore.postgres.session import translated

_ROLE: Final = "passage_auditor"
_STREAM: Final = f"SELECT {EVENT_COLUMNS} FROM passage.events WHERE stream = $1 ORDER BY version"  # noqa: S608  constants


@asynccontextmanager
async def opened_log(database_url: str) -> AsyncIterator[Connection]:
    """A connection that sees one moment of the log. `database_url` is a login that may act as `passage_auditor`.

    Raises:
        StoreUnavailable: the database cannot be reached.
    """
    with translated():
        connection: Any = await connect(database_url, "passage-audit", _ROLE)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield connection
        finally:
            await connection.close()


async def read_stream(connection: Connection, stream: str) -> tuple[Envelope, ...]:
    """The rows of a stream in order, exactly as stored; empty where nobody wrote it."""
    return tuple(map(Envelope._make, await connection.fetch(_STREAM, stream)))


async def keys_of(rows: Sequence[Envelope], keys: KeyStore | None) -> Mapping[str, CaseKey | None]:
    """The keys of these rows: None where a key is destroyed, and for every row where nothing personal is asked for.

    Raises:
        KeyUnknown: this is not the log's key store.
    """
    found: dict[str, CaseKey | None] = {}
    for key_id in {row.key_id for row in rows if row.key_id is not None}:
        try:
            found[key_id] = None if keys is None else await keys.get(key_id)
        except KeyDestroyed:
            found[key_id] = None
    return found
