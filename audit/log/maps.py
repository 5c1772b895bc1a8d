"""Map seals: a second Merkle tree over every stream's head, so that a case can be proved complete. Pure.

A proof of inclusion shows that an event is in the log, not that no later event of the case is. A map seal commits to
the head of every stream as of the first `log_size` leaves, in the order of the streams' bytes, and its header is a leaf
of the log itself. The chain from the first event to that head is then the whole case as of that moment.

Whoever builds or checks a map works it out from the leaves. Versions have no gap, so the versions of all heads add up
to the number of events among those leaves; a map that leaves an event out does not.
"""

import json
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from audit.log.merkle import Frontier, leaf_hash
from eventstore.format.envelope import canonical

_KEYS: Final = {"entries", "kind", "log_size", "root"}
_KIND: Final = "map-seal"


class MapEntry(NamedTuple):
    """A stream's head: its last version and that event's hash."""

    stream: str
    version: int
    hash: bytes

    @property
    def leaf(self) -> bytes:
        """The leaf hash in the map."""
        return leaf_hash(f"{self.stream}\n{self.version}\n{self.hash.hex()}\n".encode())


@dataclass(frozen=True, slots=True)
class MapHeader:
    """What a map seal states."""

    log_size: int
    """The map shows the log's first `log_size` leaves."""
    entries: int
    root: bytes

    @property
    def content(self) -> bytes:
        """Canonical JSON: the entry of the log whose leaf hash is sealed."""
        return canonical(
            {"entries": self.entries, "kind": _KIND, "log_size": self.log_size, "root": self.root.hex()},
        )

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Raises ValueError where the bytes are not exactly the header of a map seal."""
        try:
            found = json.loads(content)
            if set(found) != _KEYS:
                raise ValueError("other keys than a map seal's")
            header = cls(int(found["log_size"]), int(found["entries"]), bytes.fromhex(found["root"]))
        except (TypeError, UnicodeDecodeError):
            raise ValueError("not the header of a map seal") from None
        if header.content != content:
            raise ValueError("not the canonical header of a map seal")
        return header


class MapTree:
    """Builds the tree of a map from its entries, which must come in the order of their streams' bytes."""

    def __init__(self) -> None:
        self._tree = Frontier()
        self._last = b""
        self.events = 0
        """Of all its streams."""

    def add(self, entry: MapEntry) -> None:
        """Raises ValueError where the order is another."""
        stream = entry.stream.encode()
        if self._tree.size and stream <= self._last:
            raise ValueError("the entries of a map are not in order")
        self._last = stream
        self._tree.append(entry.leaf)
        self.events += entry.version

    def header(self, log_size: int) -> MapHeader:
        """The header over what was added."""
        return MapHeader(log_size, self._tree.size, self._tree.root())
