"""Checks every event, stream by stream: header, bodies, columns, hash, chain, versions, and its leaf."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from audit.verify.faults import Code, Faults
from audit.verify.headers import HASH, HEADER, SELECTED, STREAM, VERSION, Row, agrees, differences
from eventstore.format.envelope import NO_HASH, leaf_hash

_LEAF_INDEX, _LEAF_HASH = HASH + 1, HASH + 2

EVENTS: Final = f"""
SELECT {SELECTED}, l.leaf_index, l.hash
FROM passage.events AS e LEFT JOIN passage.leaf AS l ON l.stream = e.stream AND l.version = e.version
ORDER BY e.stream, e.version
"""  # noqa: S608  constants
"""Each event with its leaf: both sides come from an index in that order, so nothing is sorted."""


class StreamEnd(NamedTuple):
    """A stream whose events have all been seen."""

    stream: str
    version: int
    hash: bytes
    sound: bool
    """None of its events had a fault."""


class Follower(Protocol):
    """What else looks at the events, once they are known to be what was stored."""

    def see(self, row: Row) -> None:
        """An event, in the order of its stream."""
        ...

    def end(self, stream: StreamEnd) -> None:
        """The stream is over."""
        ...


class EventCheck:
    """Takes rows of `EVENTS` in their order. Keeps one stream's last hash, and nothing of any other."""

    def __init__(self, faults: Faults, follower: Follower | None = None) -> None:
        self._faults = faults
        self._follower = follower
        self._stream: str | None = None
        self._version, self._hash, self._leaf = 0, NO_HASH, -1
        self._sound = True
        self.events = 0
        self.streams = 0
        self.without_leaf = 0

    def take(self, rows: Sequence[Row]) -> None:
        """The next rows."""
        follower = self._follower
        for row in rows:
            if row[STREAM] != self._stream:
                self._next_stream(row[STREAM])
            if row[VERSION] != self._version + 1:
                self._gap(row)
            if not agrees(row, self._hash):
                for code, detail in differences(row, self._hash):
                    self._fault(code, row[STREAM], row[VERSION], detail)
            if leaf_hash(row[HEADER]) != row[HASH]:
                self._fault(Code.HEADER_EDITED, row[STREAM], row[VERSION], "the header does not hash to the hash")
            if row[_LEAF_HASH] == row[HASH] and row[_LEAF_INDEX] > self._leaf:
                self._leaf = row[_LEAF_INDEX]
            else:
                self._leaf_fault(row)
            self._version, self._hash = row[VERSION], row[HASH]
            if follower is not None:
                follower.see(row)
        self.events += len(rows)

    def close(self) -> None:
        """There are no more rows."""
        self._end()
        self._stream = None

    def _next_stream(self, stream: str) -> None:
        self._end()
        self._stream, self._version, self._hash, self._leaf = stream, 0, NO_HASH, -1
        self._sound = True
        self.streams += 1

    def _end(self) -> None:
        if self._stream is not None and self._follower is not None:
            self._follower.end(StreamEnd(self._stream, self._version, self._hash, self._sound))

    def _fault(self, code: Code, stream: str, version: int, detail: str) -> None:
        self._sound = False
        self._faults.add(code, stream, version, detail)

    def _gap(self, row: Row) -> None:
        stream, version = row[STREAM], row[VERSION]
        if version <= self._version:
            self._fault(Code.EVENT_INSERTED, stream, version, "there are two events of this version")
            return
        first, last = self._version + 1, version - 1
        detail = "is missing" if first == last else f"and those up to {last} are missing"
        self._fault(Code.EVENT_DELETED, stream, first, detail)
        # What the next one must follow is not known any more; its own word is taken, its hash is sealed.
        self._hash = _previous_hash(row) or self._hash

    def _leaf_fault(self, row: Row) -> None:
        stream, version = row[STREAM], row[VERSION]
        if row[_LEAF_INDEX] is None:
            self.without_leaf += 1  # it waits for its seal, or was slipped in: `queue.py` tells which
        elif row[_LEAF_HASH] != row[HASH]:
            self._fault(Code.EVENT_REWRITTEN, stream, version, f"another hash was sealed as leaf {row[_LEAF_INDEX]}")
        else:
            self._fault(Code.LEAF_MOVED, stream, version, f"leaf {row[_LEAF_INDEX]} is before that of an earlier event")


def _previous_hash(row: Row) -> bytes | None:
    key = b'"previous_hash":"'
    start = row[HEADER].find(key)
    try:
        return bytes.fromhex(row[HEADER][start + len(key) :][:64].decode()) if start >= 0 else None
    except ValueError:
        return None
