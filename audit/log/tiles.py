"""Tiles: the nodes that a log stores, 256 hashes each, as in C2SP tlog-tiles. Pure.

Tile `n` of level `l` holds the roots of the complete subtrees of 256**l leaves numbered from `n * 256`; on level 0 they
are the leaf hashes. A hash enters level `l` when its tile below is full. Only the last tile of a level is partial, and
a tile that is not full only ever grows.
"""

from collections.abc import Iterable, Mapping
from copy import copy
from typing import Final, NamedTuple, Self

from audit.log.merkle import EMPTY_ROOT, HASH_BYTES, Node, Range, ReadNode, joined, perfect_root

WIDTH: Final = 256
TILE_LEVEL: Final = 8
"""A full tile is a complete subtree of 2**8 nodes of its level."""
TILE_BYTES: Final = WIDTH * HASH_BYTES


class TileAt(NamedTuple):
    """Where a tile stands."""

    level: int
    number: int


class MissingTile(Exception):
    """A tile that the tree must have is not there, or is too short."""


def edge_of(size: int) -> tuple[tuple[TileAt, int], ...]:
    """The partial tiles of a tree of `size` leaves with their widths, by level; 0 where a level has none right now."""
    found, level = [], 0
    while size > 0:
        found.append((TileAt(level, size // WIDTH), size % WIDTH))
        size, level = size // WIDTH, level + 1
    return tuple(found)


class TileTree:
    """The right edge of a stored tree: all that is needed to add leaves and to know the root."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    @classmethod
    def load(cls, size: int, tiles: Mapping[TileAt, bytes]) -> Self:
        """The tree of `size` leaves from the stored tiles named by `edge_of(size)`; longer ones are cut.

        Raises:
            MissingTile: one is absent or shorter than the tree needs.
        """
        tree = cls()
        tree.size = size
        for at, width in edge_of(size):
            stored = tiles.get(at, b"")[: width * HASH_BYTES]
            if len(stored) != width * HASH_BYTES:
                raise MissingTile(f"tile {at.level}/{at.number} has not the {width} hashes of a tree of {size}")
            tree._edge.append(stored)
        return tree

    def copy(self) -> Self:
        """Another tree that stands where this one does."""
        other = copy(self)
        other._edge = list(self._edge)  # noqa: SLF001  one of its own kind
        return other

    def append(self, leaves: Iterable[bytes]) -> dict[TileAt, bytes]:
        """Add leaf hashes; the tiles that changed, as they are now to be stored."""
        changed: dict[TileAt, bytes] = {}
        new, level, size = b"".join(leaves), 0, self.size
        self.size += len(new) // HASH_BYTES
        while new:
            if level == len(self._edge):
                self._edge.append(b"")
            number, held = size // WIDTH, self._edge[level] + new
            above = []
            while len(held) >= TILE_BYTES:
                changed[TileAt(level, number)] = held[:TILE_BYTES]
                above.append(perfect_root(held[:TILE_BYTES]))
                number, held = number + 1, held[TILE_BYTES:]
            if held:
                changed[TileAt(level, number)] = held
            self._edge[level] = held
            new, level, size = b"".join(above), level + 1, size // WIDTH
        return changed

    def root(self) -> bytes:
        """The root as of now."""
        if self.size == 0:
            return EMPTY_ROOT
        return joined(subtree for held in reversed(self._edge) for subtree in _subtrees(held))


def _subtrees(held: bytes) -> Iterable[bytes]:
    for node in Range(0, len(held) // HASH_BYTES).nodes():
        yield _root_within(held, node.level, node.number << node.level)


def _root_within(held: bytes, level: int, first: int) -> bytes:
    return perfect_root(held[first * HASH_BYTES : (first + (1 << level)) * HASH_BYTES])


def tile_of(node: Node) -> TileAt:
    """The tile from which the node is read."""
    level, within = divmod(node.level, TILE_LEVEL)
    return TileAt(level, (node.number << within) // WIDTH)


def tiles_of(ranges: Iterable[Range]) -> tuple[TileAt, ...]:
    """The tiles from which a proof over these ranges is read."""
    return tuple(dict.fromkeys(tile_of(node) for each in ranges for node in each.nodes()))


def reader_of(tiles: Mapping[TileAt, bytes]) -> ReadNode:
    """Reads nodes from stored tiles. Raises MissingTile."""

    def read(node: Node) -> bytes:
        within = node.level % TILE_LEVEL
        at, first = tile_of(node), (node.number << within) % WIDTH
        held = tiles.get(at, b"")
        if len(held) < (first + (1 << within)) * HASH_BYTES:
            raise MissingTile(f"tile {at.level}/{at.number} does not reach hash {first + (1 << within) - 1}")
        return _root_within(held, within, first)

    return read
