"""The Merkle tree of RFC 9162 against known facts, and against the RFC's own recursive definitions written out."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.log.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_ranges,
    inclusion_ranges,
    is_consistent,
    leaf_hash,
    node_hash,
    proof_of,
    root_over,
)
from tests.support.merkle import includes, reader_over

ENTRIES = [bytes.fromhex(entry) for entry in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
"""The eight entries that the tests of Certificate Transparency have used since RFC 6962."""
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Their roots, from no entry to all eight."""
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node_hash(mth(leaves[:k]), mth(leaves[k:]))


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 9162, 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def proof(m: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 9162, 2.1.4.1."""
    n = len(leaves)
    if m == n:
        return [] if whole else [mth(leaves)]
    k = split(n)
    if m <= k:
        return [*proof(m, leaves[:k], whole=whole), mth(leaves[k:])]
    return [*proof(m - k, leaves[k:], whole=False), mth(leaves[:k])]


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def many(count: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4)) for number in range(count)]


def test_the_hashes_that_everybody_agrees_on() -> None:
    assert EMPTY_ROOT.hex() == ROOTS[0]
    assert leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert node_hash(b"N123", b"N456").hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"


@pytest.mark.parametrize("size", range(9))
def test_the_roots_that_everybody_agrees_on(size: int) -> None:
    tree = Frontier()
    for leaf in LEAVES[:size]:
        tree.append(leaf)
    assert tree.root().hex() == root_over(b"".join(LEAVES[:size])).hex() == ROOTS[size]


def test_a_proof_that_everybody_agrees_on() -> None:
    found = proof_of(inclusion_ranges(0, 8), reader_over(LEAVES))
    assert [each.hex() for each in found] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


@given(st.integers(1, 600), st.data())
@settings(max_examples=60, deadline=None)
def test_roots_and_proofs_are_the_rfcs(size: int, data: st.DataObject) -> None:
    leaves = many(size)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root, read = mth(leaves), reader_over(leaves)
    assert root_over(b"".join(leaves)) == root
    inclusion = proof_of(inclusion_ranges(index, size), read)
    assert list(inclusion) == path(index, leaves)
    assert includes(index, size, leaves[index], inclusion, root)
    consistency = proof_of(consistency_ranges(old, size), read)
    assert list(consistency) == proof(old, leaves)
    assert is_consistent(old, size, mth(leaves[:old]), root, consistency)


@given(st.lists(st.integers(0, 300), max_size=8))
@settings(max_examples=40, deadline=None)
def test_a_frontier_grows_by_any_pieces(pieces: list[int]) -> None:
    leaves, tree, done = many(sum(pieces)), Frontier(), 0
    for count in pieces:
        tree.extend(b"".join(leaves[done : done + count]))
        done += count
        assert (tree.size, tree.root()) == (done, root_over(b"".join(leaves[:done])))


@given(st.integers(2, 200), st.data())
@settings(max_examples=60, deadline=None)
def test_nothing_else_passes_for_a_proof(size: int, data: st.DataObject) -> None:
    leaves = many(size)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size - 1))
    root, old_root, read = mth(leaves), mth(leaves[:old]), reader_over(leaves)
    inclusion = proof_of(inclusion_ranges(index, size), read)
    consistency = proof_of(consistency_ranges(old, size), read)
    for wrong in changed(inclusion):
        assert not includes(index, size, leaves[index], wrong, root)
    for wrong in changed(consistency):
        assert not is_consistent(old, size, old_root, root, wrong)
    assert not includes(index ^ 1, size, leaves[index], inclusion, root)
    assert not includes(index, size, leaves[index ^ 1] if index ^ 1 < size else bytes(32), inclusion, root)
    assert not includes(size, size, leaves[index], inclusion, root)
    assert not includes(-1, size, leaves[index], inclusion, root)
    assert not is_consistent(old, size, root, root, consistency)
    assert not is_consistent(old, size, old_root, old_root, consistency)
    assert not is_consistent(size, old, root, old_root, consistency)


def changed(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """One bit flipped, one hash too many at either end, one too few, two exchanged."""
    found = [[*hashes, bytes(32)], [bytes(32), *hashes], [*hashes[:-1]], [*hashes[1:]]]
    for place, each in enumerate(hashes):
        found.append([*hashes[:place], bytes([each[0] ^ 1]) + each[1:], *hashes[place + 1 :]])
    if len(hashes) > 1:
        found.append([hashes[1], hashes[0], *hashes[2:]])
    return [each for each in found if each != list(hashes)]


def test_there_is_nothing_to_prove_about_the_empty_tree() -> None:
    assert not is_consistent(0, 3, EMPTY_ROOT, mth(many(3)), ())
    assert not is_consistent(0, 0, EMPTY_ROOT, EMPTY_ROOT, ())
    assert is_consistent(3, 3, mth(many(3)), mth(many(3)), ())
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_ranges(0, 0)
    with pytest.raises(ValueError, match="no proof"):
        consistency_ranges(4, 3)
