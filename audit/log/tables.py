"""The seal tables of `sql/seal.sql`, as a sealer writes them and everybody reads them."""

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from audit.log.maps import MapEntry
from audit.log.tiles import TileAt
from eventstore.postgres.connections import open_pool

Connection = Any
"""An `asyncpg.Connection`, or one lent by a pool: the stubs have no common class for the two."""

_CURSOR_ROWS: Final = 2000
_LONGEST_S: Final = 120.0


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
    """The note of the newest checkpoint, with the witnesses' lines that came for it."""
    row = await connection.fetchrow("SELECT size, note FROM passage.checkpoint ORDER BY size DESC LIMIT 1")
    if row is None:
        return None
    lines = await connection.fetch(
        "SELECT content FROM passage.checkpoint_witness WHERE size = $1 AND kind = 'cosignature' ORDER BY content",
        row["size"],
    )
    note: str = row["note"]
    return note + "".join(line["content"].decode() for line in lines)


async def map_entries(connection: Connection, size: int) -> AsyncIterator[MapEntry]:
    """Every stream's head as of the first `size` leaves; inside a transaction, read piece by piece."""
    cursor = connection.cursor("SELECT stream, version, hash FROM passage.map_entries($1)", size, prefetch=_CURSOR_ROWS)
    async for row in cursor:
        yield MapEntry(row["stream"], row["version"], row["hash"])


async def take_leaves(connection: Connection, expected: int, appends: int) -> list[TakenLeaf]:
    """Give the oldest unsealed appends their places; nothing where the log has not the expected size."""
    rows = await connection.fetch("SELECT * FROM passage.take_leaves($1, $2)", expected, appends)
    return [TakenLeaf(*row) for row in rows]


async def take_map_leaf(connection: Connection, expected: int, header: bytes, leaf: bytes, sealed_at: datetime) -> bool:
    """Put a map seal at the end of the log; False where the log has not the expected size."""
    taken: bool = await connection.fetchval(
        "SELECT passage.take_map_leaf($1, $2, $3, $4)", expected, header, leaf, sealed_at
    )
    return taken


async def put_tiles(connection: Connection, tiles: Mapping[TileAt, bytes]) -> None:
    """Store tiles that are new or have grown. Raises asyncpg.RaiseError where one would change otherwise."""
    await connection.execute(
        "SELECT passage.put_tiles($1, $2, $3)",
        [at.level for at in tiles],
        [at.number for at in tiles],
        list(tiles.values()),
    )


async def put_checkpoint(connection: Connection, size: int, note: str, signed_at: datetime) -> None:
    """Publish a signed checkpoint; one of the same size stays as it is."""
    await connection.execute("SELECT passage.put_checkpoint($1, $2, $3)", size, note, signed_at)


async def pool_of(database_url: str, role: str) -> "asyncpg.Pool[asyncpg.Record]":
    """A small pool that acts as `role`. Raises StoreUnavailable."""
    return await open_pool(database_url, "passage-audit", role, longest_s=_LONGEST_S, connections=2)
