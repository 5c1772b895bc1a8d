"""The seal tables of `sql/seal.sql`, as a sealer writes them and everybody reads them."""

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from audit.log.maps import MapEntry, MapHeader, MapTree
from audit.log.tiles import TileAt
from eventstore.postgres.connections import open_pool

Connection = Any
"""An `asyncpg.Connection`, or one lent by a pool: the stubs have no common class for the two."""

_CURSOR_ROWS: Final = 2000
_LONGEST_S: Final = 120.0


_HEADS: Final = """
WITH RECURSIVE streams AS (
    (SELECT l.stream FROM passage.leaf AS l WHERE l.stream IS NOT NULL ORDER BY l.stream LIMIT 1)
    UNION ALL
    SELECT (SELECT l.stream FROM passage.leaf AS l WHERE l.stream > s.stream ORDER BY l.stream LIMIT 1)
    FROM streams AS s WHERE s.stream IS NOT NULL
)
SELECT s.stream, head.version, head.hash
FROM streams AS s CROSS JOIN LATERAL (
    SELECT l.version, l.hash FROM passage.leaf AS l
    WHERE l.stream = s.stream AND l.leaf_index < $1 ORDER BY l.version DESC LIMIT 1
) AS head
"""
"""Walks from stream to stream through the index, so its cost is that of the streams, not of the events. It calls no
function of the database's, which whoever runs that could replace."""


class MapIncomplete(Exception):
    """The leaves as the database shows them are not the whole log."""


class TakenLeaf(NamedTuple):
    """A leaf that was just given its index."""

    leaf_index: int
    hash: bytes
    recorded_at: datetime


async def log_size(connection: Connection) -> int:
    """How many leaves the log has."""
    size: int = await connection.fetchval("SELECT size FROM passage.log_size")
    return size


async def read_tiles(connection: Connection, wanted: Iterable[TileAt]) -> dict[TileAt, bytes]:
    """Those of the wanted tiles that exist."""
    asked = tuple(wanted)
    rows = await connection.fetch(
        "SELECT t.level, t.number, t.hashes FROM unnest($1::smallint[], $2::bigint[]) AS w(level, number) "
        "JOIN passage.tile AS t USING (level, number)",
        [at.level for at in asked],
        [at.number for at in asked],
    )
    return {TileAt(row["level"], row["number"]): row["hashes"] for row in rows}


async def newest_checkpoint(connection: Connection) -> str | None:
    """The note of the newest checkpoint."""
    note: str | None = await connection.fetchval("SELECT note FROM passage.checkpoint ORDER BY size DESC LIMIT 1")
    return note


class StoredMap(NamedTuple):
    """A map seal as it is stored."""

    leaf_index: int
    header: bytes


async def newest_map(connection: Connection, before: int | None = None) -> StoredMap | None:
    """The newest map seal, among the first `before` leaves where that is given."""
    row = await connection.fetchrow(
        "SELECT leaf_index, header FROM passage.map_seal WHERE $1::bigint IS NULL OR leaf_index < $1 "
        "ORDER BY leaf_index DESC LIMIT 1",
        before,
    )
    return None if row is None else StoredMap(*row)


async def map_entries(connection: Connection, size: int) -> AsyncIterator[MapEntry]:
    """Every stream's head as of the first `size` leaves; inside a transaction, read piece by piece."""
    async for row in connection.cursor(_HEADS, size, prefetch=_CURSOR_ROWS):
        yield MapEntry(row["stream"], row["version"], row["hash"])


async def map_header(connection: Connection, size: int) -> MapHeader:
    """Build the map over the first `size` leaves; inside a transaction.

    Raises:
        MapIncomplete: the leaves do not hold every event of every stream.
    """
    tree = MapTree()
    async for entry in map_entries(connection, size):
        try:
            tree.add(entry)
        except ValueError as error:
            raise MapIncomplete(str(error)) from None
    maps = await connection.fetchval("SELECT count(*) FROM passage.map_seal WHERE leaf_index < $1", size)
    if tree.events + maps != size:
        raise MapIncomplete(f"{size} leaves, and a map of {tree.events} events and {maps} maps")
    return tree.header(size)


async def take_leaves(connection: Connection, expected: int, appends: int) -> list[TakenLeaf]:
    """Give the oldest unsealed appends their places; nothing where the log has not the expected size."""
    rows = await connection.fetch("SELECT * FROM passage.take_leaves($1, $2)", expected, appends)
    return [TakenLeaf(*row) for row in rows]


async def take_map_leaf(connection: Connection, expected: int, header: bytes, leaf: bytes) -> bool:
    """Put a map seal at the end of the log; False where the log has not the expected size."""
    taken: bool = await connection.fetchval("SELECT passage.take_map_leaf($1, $2, $3)", expected, header, leaf)
    return taken


async def put_tiles(connection: Connection, tiles: Mapping[TileAt, bytes]) -> None:
    """Store tiles that are new or have grown. Raises asyncpg.RaiseError where one would change otherwise."""
    await connection.execute(
        "SELECT passage.put_tiles($1, $2, $3)",
        [at.level for at in tiles],
        [at.number for at in tiles],
        list(tiles.values()),
    )


async def put_checkpoint(connection: Connection, size: int, note: str) -> None:
    """Publish a signed checkpoint; one of the same size stays as it is."""
    await connection.execute("SELECT passage.put_checkpoint($1, $2)", size, note)


async def pool_of(database_url: str, role: str) -> "asyncpg.Pool[asyncpg.Record]":
    """A small pool that acts as `role`. Raises StoreUnavailable."""
    return await open_pool(database_url, "passage-audit", role, longest_s=_LONGEST_S, connections=2)
