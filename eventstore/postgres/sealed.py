"""The sealed log as those who check it from outside read it: checkpoint, tiles, and entries by their leaf."""

from typing import NamedTuple

import asyncpg

from eventstore.postgres.session import Statement, translated

_CHECKPOINT = "SELECT note FROM passage.checkpoint ORDER BY size DESC LIMIT 1"
_TILE = Statement("SELECT hashes FROM passage.tile WHERE level = :level AND number = :number")
_ENTRIES = Statement("""
SELECT l.leaf_index, l.hash, coalesce(e.header, m.header) AS header, e.public_body, e.encrypted_body
FROM passage.leaf AS l
LEFT JOIN passage.events AS e ON e.stream = l.stream AND e.version = l.version
LEFT JOIN passage.map_seal AS m ON m.leaf_index = l.leaf_index
WHERE l.leaf_index >= :first ORDER BY l.leaf_index LIMIT :most
""")


class SealedEntry(NamedTuple):
    """What a leaf stands for: SHA-256(0x00 ‖ header) is its hash. A map seal has no bodies."""

    leaf_index: int
    hash: bytes
    header: bytes
    """Empty where what was sealed is gone: whoever reads it has found that."""
    public_body: bytes | None
    encrypted_body: bytes | None
    """As it is stored: without the case's key nobody reads it."""


class PostgresSealedLog:
    """Reads the seal tables. Every method raises StoreUnavailable."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def checkpoint(self) -> str | None:
        """The newest signed checkpoint; None before the first."""
        with translated():
            note: str | None = await self._pool.fetchval(_CHECKPOINT)
        return note

    async def tile(self, level: int, number: int) -> bytes | None:
        """The hashes of a tile, as many as there are."""
        with translated():
            hashes: bytes | None = await self._pool.fetchval(*_TILE(level=level, number=number))
        return hashes

    async def entries(self, first: int, most: int) -> tuple[SealedEntry, ...]:
        """The entries from leaf `first` on, in order, at most `most`."""
        with translated():
            rows = await self._pool.fetch(*_ENTRIES(first=first, most=most))
        return tuple(SealedEntry(row[0], row[1], row[2] or b"", row[3], row[4]) for row in rows)
