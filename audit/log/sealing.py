"""What a sealer does: gives committed events their places in the log, keeps the tree, signs checkpoints, seals maps.

Everything a sealer holds in memory can be read back from the tables, so it may be killed at any moment, and any number
of them may run: the size of the log, checked under lock, lets one of them go on and makes the others read again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from audit.log.checkpoints import Checkpoint
from audit.log.log_key import LogKey
from audit.log.maps import MapHeader
from audit.log.merkle import Range, joined, leaf_hash
from audit.log.notes import Note, NoteForged
from audit.log.tables import (
    Connection,
    MapIncomplete,
    log_size,
    map_header,
    newest_checkpoint,
    newest_map,
    put_checkpoint,
    put_tiles,
    read_tiles,
    take_leaves,
    take_map_leaf,
)
from audit.log.tiles import TileTree, edge_of, reader_of, tiles_of
from eventstore.format.envelope import machine_clock
from eventstore.postgres.session import translated

MAX_LAG: Final = timedelta(seconds=60)
"""The lag that Passage publishes: an event stands in a signed checkpoint this long after it was recorded, or `verify`
accuses it. A sealer that runs needs about two seconds of it."""

APPENDS_AT_ONCE: Final = 2000
"""Bounds one transaction: at most 200,000 events, some 4,000 in practice."""


_TAKES_MAX: Final = 100
"""Another sealer may be faster, but not for ever."""


class SealRefused(Exception):
    """Signing would give the log a second history, or one nobody could check. Refer to a person; never retried."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code


class EventGone(Exception):
    """Alarm: an event that waits for its seal is not in the log any more, or waits twice. Nothing is sealed past it."""

    code = "unsealed-event-gone"


@dataclass(slots=True)
class Sealer:
    """One sealer over one database. Not for use by two tasks at once; two sealers may run side by side."""

    pool: "asyncpg.Pool[asyncpg.Record]"
    key: LogKey
    clock: Callable[[], datetime] = machine_clock
    longest_lag: timedelta = field(default=timedelta(0), init=False)
    """The longest that an event waited for its checkpoint, as far as this sealer has seen."""
    _tree: TileTree | None = field(default=None, init=False)
    _signed: int = field(default=0, init=False)
    _mapped: int = field(default=0, init=False)
    _waiting_since: datetime | None = field(default=None, init=False)

    @property
    def unsigned(self) -> bool:
        """Whether there are leaves that no checkpoint of this sealer covers."""
        return self._tree is not None and self._tree.size > self._signed

    @property
    def unmapped(self) -> bool:
        """Whether there are leaves that no map seal covers."""
        return self._tree is not None and self._tree.size > self._mapped

    async def seal(self) -> int:
        """Take what waits, at most `APPENDS_AT_ONCE` appends, and store its tiles; how many leaves that made.

        Raises:
            SealRefused: the log is not the one this key signed.
            EventGone: somebody removed an event before it was sealed.
            StoreUnavailable: the database is away; call again.
        """
        tree = await self._current()
        grown = tree.copy()
        try:
            with translated():
                async with self.pool.acquire() as connection, connection.transaction():
                    leaves = await take_leaves(connection, tree.size, APPENDS_AT_ONCE)
                    if not leaves:
                        await self._forget_if_behind(connection, tree.size)
                        return 0
                    await put_tiles(connection, grown.append(leaf.hash for leaf in leaves))
        except BaseException as error:
            self._tree = None  # whether it was committed is read from the tables
            if isinstance(error, asyncpg.IntegrityConstraintViolationError):
                raise EventGone from None
            raise
        self._tree = grown
        oldest = min(leaf.recorded_at for leaf in leaves)
        self._waiting_since = min(self._waiting_since or oldest, oldest)
        return len(leaves)

    async def _forget_if_behind(self, connection: Connection, size: int) -> None:
        if await log_size(connection) != size:
            self._tree = None

    async def sign(self) -> Checkpoint:
        """Sign and publish a checkpoint of the log as this sealer knows it. Raises as `seal`, and when it is empty."""
        tree = await self._current()
        if tree.size == 0:
            raise SealRefused("log-empty", "there is nothing to sign yet")
        now = self.clock()
        checkpoint = Checkpoint(self.key.verifier.name, tree.size, tree.root(), now)
        note = await self.key.sign(checkpoint.text)
        await self.key.remember(note)
        with translated():
            async with self.pool.acquire() as connection:
                await put_checkpoint(connection, checkpoint.size, str(note))
        self._signed = checkpoint.size
        if self._waiting_since is not None:
            self.longest_lag = max(self.longest_lag, now - self._waiting_since)
            self._waiting_since = None
        return checkpoint

    async def build_map(self, size: int) -> MapHeader:
        """The map over the first `size` leaves, built on this side. Changes nothing; may run beside `seal`.

        Raises:
            SealRefused: the leaves that the database shows are not the whole log.
            StoreUnavailable: the database is away; call again.
        """
        try:
            with translated():
                async with (
                    self.pool.acquire() as connection,
                    connection.transaction(isolation="repeatable_read", readonly=True),
                ):
                    return await map_header(connection, size)
        except MapIncomplete as error:
            raise SealRefused("map-incomplete", str(error)) from None

    async def take_map(self, header: MapHeader) -> int | None:
        """Put a map at the end of the log as it is now; its leaf. Sign afterwards. Raises as `seal`.

        None where other sealers were faster each time: the header stays good, call again.
        """
        for _ in range(_TAKES_MAX):
            tree = await self._current()
            grown = tree.copy()
            if await self._taken(tree.size, grown, header.content):
                self._tree, self._mapped = grown, _covered(tree.size, header)
                return tree.size
            self._tree = None
        return None

    async def _taken(self, size: int, grown: TileTree, header: bytes) -> bool:
        leaf = leaf_hash(header)
        try:
            with translated():
                async with self.pool.acquire() as connection, connection.transaction():
                    if not await take_map_leaf(connection, size, header, leaf):
                        return False
                    await put_tiles(connection, grown.append([leaf]))
        except BaseException:
            self._tree = None
            raise
        return True

    async def seal_map(self) -> int | None:
        """Build a map of all that is sealed and put it into the log. Raises as `build_map` and `take_map`."""
        return await self.take_map(await self.build_map(await self.size()))

    async def size(self) -> int:
        """How many leaves the log has, as this sealer knows it. Raises as `seal`."""
        return (await self._current()).size

    async def _current(self) -> TileTree:
        """The tree as this sealer left it, or as the tables have it."""
        if self._tree is None:
            last = await self.key.last_signed()  # read first: a tree is committed before its checkpoint is signed
            with translated():
                async with self.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
                    self._tree = await self._load(connection, last)
        return self._tree

    async def _load(self, connection: Connection, last: Note | None) -> TileTree:
        size = await log_size(connection)
        published = await newest_checkpoint(connection)
        for note in (last, None if published is None else Note.parse(published)):
            if note is not None:
                await self._refuse_another_history(connection, note, size)
        self._mapped = await _mapped(connection)
        return TileTree.load(size, await read_tiles(connection, (at for at, _ in edge_of(size))))

    async def _refuse_another_history(self, connection: Connection, note: Note, size: int) -> None:
        try:
            note.verified_by([self.key.verifier])
        except NoteForged:
            raise SealRefused("log-of-another-key", "its checkpoints are not signed by this key") from None
        signed = Checkpoint.parse(note.text)
        if signed.size > size:
            raise SealRefused(
                "log-restored",
                f"{signed.size} leaves were signed and the log has {size}: it was restored from a backup",
            )
        whole = Range(0, signed.size)
        read = reader_of(await read_tiles(connection, tiles_of([whole])))
        if joined(read(node) for node in whole.nodes()) != signed.root:
            raise SealRefused("log-forked", f"the first {signed.size} leaves are not those that were signed")
        self._signed = max(self._signed, signed.size)


async def _mapped(connection: Connection) -> int:
    newest = await newest_map(connection)
    return 0 if newest is None else _covered(newest.leaf_index, MapHeader.parse(newest.header))


def _covered(leaf_index: int, header: MapHeader) -> int:
    """Up to which leaf the log needs no other map than this one; its own leaf is none that a map must show."""
    return leaf_index + 1 if header.log_size == leaf_index else header.log_size
