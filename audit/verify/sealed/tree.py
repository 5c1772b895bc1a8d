"""Builds the Merkle tree again and holds tiles, checkpoints and the auditor's own checkpoint against it.

Read in pieces of 64 tiles. A tile that differs from its leaves is only named once a signed checkpoint over it has told
which of the two was changed.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from audit.log.checkpoints import Checkpoint
from audit.log.log_key import LogKeys
from audit.log.merkle import HASH_BYTES, Frontier, root_over
from audit.log.notes import Note, NoteForged, NoteMalformed
from audit.log.tables import Connection, log_size, read_tiles
from audit.log.tiles import TILE_BYTES, TILE_LEVEL, WIDTH, TileAt
from audit.verify.faults import Code, Faults
from audit.verify.sealed.times import TimeCheck

_TILES_AT_ONCE: Final = 64
_CHECKPOINTS_AT_ONCE: Final = 500
_SUSPECTS_MAX: Final = 1000

_LEAVES: Final = """
SELECT n.number, l.leaves, l.first, l.last, l.hashes, t.hashes AS tile
FROM generate_series($1::bigint, $2::bigint) AS n(number)
CROSS JOIN LATERAL (
    SELECT count(*) AS leaves, min(leaf_index) AS first, max(leaf_index) AS last,
           string_agg(hash, ''::bytea ORDER BY leaf_index) AS hashes
    FROM passage.leaf WHERE leaf_index >= n.number * 256 AND leaf_index < n.number * 256 + 256
) AS l
LEFT JOIN passage.tile AS t ON t.level = 0 AND t.number = n.number
ORDER BY n.number
"""


class _Piece(NamedTuple):
    """The leaves of one tile."""

    number: int
    hashes: bytes
    tile: bytes | None


@dataclass(slots=True)
class TreeCheck:
    """One pass over the leaves."""

    connection: Connection
    faults: Faults
    keys: LogKeys
    times: TimeCheck
    known: Checkpoint | None = None
    """What the auditor holds from earlier; its signature is verified already."""
    checkpoints: int = 0
    newest: Checkpoint | None = None
    _tree: Frontier = field(default_factory=Frontier)
    _upper: dict[int, bytes] = field(default_factory=dict)
    """By level from 1: the hashes of the tile that is being filled there."""
    _suspects: list[int] = field(default_factory=list)
    """The first leaf of each level-0 tile that is not as its leaf says, until a checkpoint has told which is wrong."""

    async def run(self) -> int:
        """Check everything; the number of leaves."""
        last = await self.connection.fetchval("SELECT max(leaf_index) FROM passage.leaf")
        signed = aiter(self._signed())
        due = await anext(signed, None)
        for start in range(0, 0 if last is None else last // WIDTH + 1, _TILES_AT_ONCE):
            for piece in await self._pieces(start, min(start + _TILES_AT_ONCE - 1, last // WIDTH)):
                if piece is None:
                    self.faults.add(Code.LEAF_MISSING, None, None, f"between leaf {self._tree.size} and {last}")
                    return self._tree.size
                self._suspect(piece)
                at, root = 0, root_over(piece.hashes)
                while due is not None and due.size <= self._tree.size + len(piece.hashes) // HASH_BYTES - at:
                    at = self._grow(piece.hashes, at, due.size - self._tree.size)
                    self._hold_against(due)
                    due = await anext(signed, None)
                if at == 0 and len(piece.hashes) == TILE_BYTES:
                    self._tree.append_subtree(TILE_LEVEL, root)  # no checkpoint ends within: it is hashed once
                else:
                    self._grow(piece.hashes, at, len(piece.hashes) // HASH_BYTES - at)
                await self._compare_tiles(piece, root)
        await self._close(due)
        async for later in signed:
            self._beyond(later)
        return self._tree.size

    def _grow(self, hashes: bytes, at: int, count: int) -> int:
        self._tree.extend(hashes[at * HASH_BYTES : (at + count) * HASH_BYTES])
        return at + count

    async def _pieces(self, first: int, last: int) -> list[_Piece | None]:
        """One for each tile; None where a leaf is missing in it, and nothing after that."""
        found: list[_Piece | None] = []
        for row in await self.connection.fetch(_LEAVES, first, last):
            start, size = row["number"] * WIDTH, row["leaves"]
            dense = size > 0 and row["first"] == start and row["last"] == start + size - 1
            full = size == WIDTH or row["number"] == last
            if not dense or len(row["hashes"]) != size * HASH_BYTES:
                return [*found, None]
            found.append(_Piece(row["number"], row["hashes"], row["tile"]))
            if not full:
                return [*found, None]
        return found

    async def _signed(self) -> AsyncIterator[Checkpoint]:
        """The log's own checkpoints and the auditor's, by size; those that do not verify are told and passed over."""
        known, after = self.known, 0
        while True:
            rows = await self.connection.fetch(
                "SELECT size, note FROM passage.checkpoint WHERE size > $1 ORDER BY size LIMIT $2",
                after,
                _CHECKPOINTS_AT_ONCE,
            )
            for row in rows:
                checkpoint = self._opened(row["size"], row["note"])
                if known is not None and row["size"] >= known.size:
                    yield known
                    known = None
                if checkpoint is not None and checkpoint.signed_at is not None:
                    await self.times.take(checkpoint.size, checkpoint.signed_at)
                    yield checkpoint
            if len(rows) < _CHECKPOINTS_AT_ONCE:
                break
            after = rows[-1]["size"]
        if known is not None:
            yield known

    def _opened(self, size: int, content: str) -> Checkpoint | None:
        self.checkpoints += 1
        try:
            note = Note.parse(content)
            checkpoint = self.keys.opened(note)
            if checkpoint.size != size:
                raise NoteForged("it speaks of another size")
            if checkpoint.signed_at is None:
                raise NoteForged("it does not say when it was signed")
        except (NoteMalformed, NoteForged) as error:
            self.faults.add(Code.CHECKPOINT_FORGED, None, None, f"checkpoint of size {size}: {error}")
            return None
        self.newest = checkpoint
        return checkpoint

    def _hold_against(self, checkpoint: Checkpoint) -> None:
        """The tree has exactly the checkpoint's size."""
        whole = checkpoint.root == self._tree.root()
        judged = [leaf for leaf in self._suspects if leaf < checkpoint.size]
        for leaf in judged:
            if whole:
                self.faults.add(Code.TILE_EDITED, None, None, f"tile 0/{leaf // WIDTH} is not the hashes of its leaves")
            else:
                self.faults.add(Code.LEAF_MOVED, None, None, f"leaf {leaf} is another than was signed")
        if not whole and checkpoint is self.known:
            self.faults.add(Code.LOG_FORKED, None, None, f"its first {checkpoint.size} leaves are not those you hold")
        elif not whole and not judged:
            self.faults.add(
                Code.CHECKPOINT_DIFFERS, None, None, f"size {checkpoint.size}: the leaves have another root"
            )
        self._suspects = self._suspects[len(judged) :]

    async def _close(self, due: Checkpoint | None) -> None:
        size, stored = self._tree.size, await log_size(self.connection)
        if stored != size:
            self.faults.add(Code.LEAF_MISSING, None, None, f"the log says {stored} leaves and has {size}")
        for level, hashes in sorted(self._upper.items()):
            if hashes:
                number = (size >> 8 * level) // WIDTH
                await self._compare_upper(TileAt(level, number), hashes)
        for leaf in self._suspects:
            self.faults.add(Code.TILE_EDITED, None, None, f"tile 0/{leaf // WIDTH} is not the hashes of its leaves")
        if due is not None:
            self._beyond(due)

    def _beyond(self, checkpoint: Checkpoint) -> None:
        """The log ends before the checkpoint."""
        if checkpoint is self.known:
            detail = f"you hold a checkpoint of {checkpoint.size} leaves, and it has {self._tree.size}"
            self.faults.add(Code.LOG_RESTORED, None, None, detail)
        else:
            detail = f"its own checkpoint has {checkpoint.size} leaves, and it has {self._tree.size}"
            self.faults.add(Code.LOG_TRUNCATED, None, None, detail)

    def _suspect(self, piece: _Piece) -> None:
        if piece.tile is None:
            self.faults.add(Code.TILE_MISSING, None, None, f"tile 0/{piece.number}")
        elif piece.tile != piece.hashes and len(self._suspects) < _SUSPECTS_MAX:
            within = next(
                (at for at in range(WIDTH) if _hash_at(piece.tile, at) != _hash_at(piece.hashes, at)), WIDTH - 1
            )
            self._suspects.append(piece.number * WIDTH + within)

    async def _compare_tiles(self, piece: _Piece, root: bytes) -> None:
        level, number, hashes = 1, piece.number, piece.hashes
        while len(hashes) == TILE_BYTES:
            held = self._upper.get(level, b"") + root
            number //= WIDTH
            self._upper[level] = b"" if len(held) == TILE_BYTES else held
            if len(held) < TILE_BYTES:
                break
            await self._compare_upper(TileAt(level, number), held)
            level, hashes, root = level + 1, held, root_over(held)

    async def _compare_upper(self, at: TileAt, hashes: bytes) -> None:
        stored = (await read_tiles(self.connection, [at])).get(at)
        if stored is None:
            self.faults.add(Code.TILE_MISSING, None, None, f"tile {at.level}/{at.number}")
        elif stored != hashes:
            self.faults.add(Code.TILE_EDITED, None, None, f"tile {at.level}/{at.number} is not the tree's")


def _hash_at(hashes: bytes, at: int) -> bytes:
    return hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES]
