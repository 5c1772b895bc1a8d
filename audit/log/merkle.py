"""The Merkle tree of RFC 9162, section 2.1 (the same as RFC 6962): roots, inclusion and consistency proofs. Pure.

SHA-256; a leaf is hashed with 0x00 before it, an inner node with 0x01, so that neither can pass for the other. `D[a:b]`
are the leaves from `a` on and before `b`; a node `(level, number)` is the root of `D[number * 2**level:][:2**level]`,
the only subtrees a log ever stores (`tiles.py`).
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (section 2.1.1)."""


class Node(NamedTuple):
    """A complete subtree: 2**level leaves, beginning at `number * 2**level`."""

    level: int
    number: int


ReadNode = Callable[[Node], bytes]
"""The hash of a complete subtree."""


class Range(NamedTuple):
    """The leaves from `start` on and before `end`, hashed as a tree of their own (MTH in section 2.1.1)."""

    start: int
    end: int

    def nodes(self) -> tuple[Node, ...]:
        """The complete subtrees it is put together from, from left to right; `start` is aligned, as in every proof."""
        found, start = [], self.start
        while start < self.end:
            level = (self.end - start).bit_length() - 1
            found.append(Node(level, start >> level))
            start += 1 << level
        return tuple(found)


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def joined(subtrees: Iterable[bytes]) -> bytes:
    """The root over complete subtrees of falling size, from left to right."""
    backwards = list(subtrees)[::-1]
    if not backwards:
        return EMPTY_ROOT
    root = backwards[0]
    for left in backwards[1:]:
        root = node_hash(left, root)
    return root


def perfect_root(hashes: bytes) -> bytes:
    """The root over a power of two of hashes, given as one string of bytes."""
    sha256 = hashlib.sha256
    while len(hashes) > HASH_BYTES:
        hashes = b"".join([sha256(b"\x01" + hashes[i : i + 64]).digest() for i in range(0, len(hashes), 64)])
    return hashes


def root_over(hashes: bytes) -> bytes:
    """The root over any number of leaf hashes, given as one string of bytes."""
    count = len(hashes) // HASH_BYTES
    return joined(
        perfect_root(hashes[(node.number << node.level) * HASH_BYTES : ((node.number + 1) << node.level) * HASH_BYTES])
        for node in Range(0, count).nodes()
    )


class Frontier:
    """A tree that only grows, kept as its complete subtrees of falling size: at most 64 hashes for any length."""

    __slots__ = ("_subtrees", "size")

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[tuple[int, bytes]] = []

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self.append_subtree(0, leaf)

    def extend(self, hashes: bytes) -> None:
        """Add leaf hashes, given as one string of bytes, in the largest complete subtrees that fit."""
        start, count = 0, len(hashes) // HASH_BYTES
        while start < count:
            aligned = (self.size & -self.size).bit_length() - 1 if self.size else 64
            level = min(aligned, (count - start).bit_length() - 1)
            end = start + (1 << level)
            self.append_subtree(level, perfect_root(hashes[start * HASH_BYTES : end * HASH_BYTES]))
            start = end

    def append_subtree(self, level: int, subtree: bytes) -> None:
        """Add the root over the next 2**level leaves; the size so far is a multiple of that."""
        self.size += 1 << level
        while self._subtrees and self._subtrees[-1][0] == level:
            subtree = node_hash(self._subtrees.pop()[1], subtree)
            level += 1
        self._subtrees.append((level, subtree))

    def root(self) -> bytes:
        """The root as of now."""
        return joined(subtree for _, subtree in self._subtrees)


def inclusion_ranges(index: int, size: int) -> tuple[Range, ...]:
    """The ranges whose roots prove that leaf `index` is in the tree of `size` leaves, from the leaf up (2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    start, end, found = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append(Range(middle, end))
            end = middle
        else:
            found.append(Range(start, middle))
            start = middle
    return tuple(reversed(found))


def consistency_ranges(old: int, new: int) -> tuple[Range, ...]:
    """The ranges whose roots prove that the tree of `new` leaves begins with that of `old` leaves (2.1.4.1)."""
    if not 0 < old <= new:
        raise ValueError(f"no proof from {old} to {new} leaves")
    start, end, whole, found = 0, new, True, []
    while old - start != end - start:
        middle = start + _split(end - start)
        if old <= middle:
            found.append(Range(middle, end))
            end = middle
        else:
            found.append(Range(start, middle))
            start, whole = middle, False
    if not whole:
        found.append(Range(start, end))
    return tuple(reversed(found))


def proof_of(ranges: Iterable[Range], read: ReadNode) -> tuple[bytes, ...]:
    """The hashes of the ranges: the proof itself."""
    return tuple(joined(read(node) for node in each.nodes()) for each in ranges)


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `new` leaves begins with that of `old` leaves (2.1.4.2).

    A tree begins with itself, by an empty proof; of the empty tree there is nothing to prove, so it is refused.
    """
    if not 0 < old <= new or (old < new) != bool(proof):
        return False
    if old == new:
        return old_root == new_root
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    number, last = old - 1, new - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    old_found = new_found = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            old_found, new_found = node_hash(sibling, old_found), node_hash(sibling, new_found)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            new_found = node_hash(new_found, sibling)
        number, last = number >> 1, last >> 1
    return last == 0 and old_found == old_root and new_found == new_root


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
