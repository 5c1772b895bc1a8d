"""What only tests ask of a Merkle tree: all its nodes, and whether a proof of inclusion holds."""

from collections.abc import Sequence

from audit.log.merkle import HASH_BYTES, Node, ReadNode, node_hash, perfect_root


def reader_over(hashes: Sequence[bytes]) -> ReadNode:
    """Reads the nodes of a tree whose leaf hashes are all in memory."""

    def read(node: Node) -> bytes:
        return perfect_root(b"".join(hashes[node.number << node.level : (node.number + 1) << node.level]))

    return read


def includes(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that the tree of `size` leaves with `root` has `leaf` at `index` (2.1.3.2)."""
    if not 0 <= index < size or len(leaf) != HASH_BYTES:
        return False
    number, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if number & 1 or number == last:
            found = node_hash(sibling, found)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        number, last = number >> 1, last >> 1
    return last == 0 and found == root
