"""Tiles: the tree as it is stored."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.log.merkle import (
    HASH_BYTES,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    proof_of,
    root_over,
)
from audit.log.tiles import MissingTile, TileAt, TileTree, edge_of, reader_of, tiles_of
from tests.support.merkle import reader_over

LEAVES = [leaf_hash(number.to_bytes(4)) for number in range(70_000)]


def stored(size: int) -> tuple[TileTree, dict[TileAt, bytes]]:
    tree = TileTree()
    return tree, tree.append(LEAVES[:size])


def test_the_tiles_of_seventy_thousand_leaves() -> None:
    """The example of c2sp.org/tlog-tiles: 273 full tiles and one of 112 below, one full and one of 17, one of 1."""
    tree, tiles = stored(70_000)
    widths = {at: len(hashes) // HASH_BYTES for at, hashes in tiles.items()}
    assert [widths[TileAt(0, number)] for number in (0, 272, 273)] == [256, 256, 112]
    assert [widths[TileAt(1, number)] for number in (0, 1)] == [256, 17]
    assert widths[TileAt(2, 0)] == 1
    assert len(widths) == 274 + 2 + 1
    assert tree.root() == root_over(b"".join(LEAVES))


@given(st.lists(st.integers(1, 600), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_a_tree_grows_by_any_pieces_and_is_loaded_again(pieces: list[int]) -> None:
    tree, tiles, size = TileTree(), dict[TileAt, bytes](), 0
    for count in pieces:
        for at, hashes in tree.append(LEAVES[size : size + count]).items():
            assert hashes.startswith(tiles.get(at, b""))
            tiles[at] = hashes
        size += count
        again = TileTree.load(size, tiles)
        assert again.root() == tree.root() == root_over(b"".join(LEAVES[:size]))
    assert {at for at, width in edge_of(size) if width} <= set(tiles)


@given(st.integers(1, 3000), st.data())
@settings(max_examples=40, deadline=None)
def test_proofs_are_read_from_tiles(size: int, data: st.DataObject) -> None:
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    for ranges in (inclusion_ranges(index, size), consistency_ranges(old, size)):
        tiles = stored(3000)[1]  # a log that has grown since
        wanted = {at: tiles[at] for at in tiles_of(ranges)}
        assert proof_of(ranges, reader_of(wanted)) == proof_of(ranges, reader_over(LEAVES[:size]))


def test_a_missing_or_short_tile_is_said() -> None:
    _, tiles = stored(300)
    with pytest.raises(MissingTile, match="tile 0/1"):
        TileTree.load(301, tiles)
    with pytest.raises(MissingTile, match="tile 1/0"):
        proof_of(inclusion_ranges(280, 300), reader_of({TileAt(0, 1): tiles[TileAt(0, 1)]}))
