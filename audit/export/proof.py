"""The proofs of one case: each event in the log, the case complete by a map seal, the log grown from an older one."""

from typing import Any, NamedTuple

from audit.log.checkpoints import Checkpoint
from audit.log.maps import MapEntry, MapHeader
from audit.log.merkle import HASH_BYTES, Node, Range, consistency_ranges, inclusion_ranges, perfect_root, proof_of
from audit.log.notes import Note, Verifier
from audit.log.tables import (
    Connection,
    MapIncomplete,
    map_entries,
    map_header,
    newest_checkpoint,
    newest_map,
    read_tiles,
)
from audit.log.tiles import reader_of, tiles_of


class NotSealed(Exception):
    """The log has no checkpoint and map that cover the case. Seal it, and export again."""


class Proved(NamedTuple):
    """What `proof.json` holds, and the case's last version that it covers."""

    proof: dict[str, Any]
    version: int


async def prove(connection: Connection, case_id: str, verifier: Verifier, older: str | None) -> Proved:
    """Read the proofs in the connection's snapshot; `older` is a checkpoint that somebody kept, or the log's first.

    Raises:
        NotSealed: nothing signed covers the case yet.
        MissingTile: the log's own tree is damaged; `audit verify` says where.
    """
    note = await newest_checkpoint(connection)
    if note is None:
        raise NotSealed("the log has no checkpoint yet")
    size = Checkpoint.parse(Note.parse(note).text).size
    seal = await newest_map(connection, size)
    if seal is None:
        raise NotSealed("the log has no map seal yet")
    entry, entry_index, hashes = await _entries(connection, case_id, MapHeader.parse(seal.header))
    proof = {
        "case": case_id,
        "key": str(verifier),
        "checkpoint": note,
        "events": [await _inclusion(connection, index, size) for index in await _leaves(connection, case_id, entry)],
        "map": {
            **await _inclusion(connection, seal.leaf_index, size),
            "header": seal.header.decode(),
            "entry_index": entry_index,
            "entry_proof": _map_proof(hashes, entry_index),
        },
        "older": await _consistency(connection, older, size, verifier),
    }
    return Proved(proof, entry.version)


async def _leaves(connection: Connection, case_id: str, entry: MapEntry) -> list[int]:
    """Where in the log the case's events are, in their order, up to the one that the map names."""
    rows = await connection.fetch(
        "SELECT leaf_index FROM passage.leaf WHERE stream = $1 AND version <= $2 ORDER BY version",
        case_id,
        entry.version,
    )
    return [row["leaf_index"] for row in rows]


async def _entries(connection: Connection, case_id: str, header: MapHeader) -> tuple[MapEntry, int, bytes]:
    """The case's entry, where it stands, and the leaf hashes of the whole map: 32 bytes a stream."""
    try:
        honest = await map_header(connection, header.log_size) == header
    except MapIncomplete:
        honest = False
    if not honest:
        raise NotSealed("the newest map is not that of the leaves before it: verify the log")
    hashes, found, index = bytearray(), None, 0
    async for entry in map_entries(connection, header.log_size):
        if entry.stream == case_id:
            found, index = entry, len(hashes) // HASH_BYTES
        hashes += entry.leaf
    if found is None:
        raise NotSealed("no map covers the case yet")
    return found, index, bytes(hashes)


def _map_proof(hashes: bytes, entry_index: int) -> list[str]:
    def read(node: Node) -> bytes:
        level, index = node
        start, end = index << level, (index + 1) << level
        return perfect_root(hashes[start * HASH_BYTES : end * HASH_BYTES])

    return [each.hex() for each in proof_of(inclusion_ranges(entry_index, len(hashes) // HASH_BYTES), read)]


async def _inclusion(connection: Connection, index: int, size: int) -> dict[str, Any]:
    return {"index": index, "proof": await _path(connection, inclusion_ranges(index, size))}


async def _consistency(
    connection: Connection, older: str | None, size: int, verifier: Verifier
) -> dict[str, Any] | None:
    if older is None:  # the first that this key signed: the log may have had another before
        older = await connection.fetchval(
            "SELECT note FROM passage.checkpoint WHERE strpos(note, $1) > 0 ORDER BY size LIMIT 1", verifier.line_start
        )
    if older is None:
        return None
    old = Checkpoint.parse(Note.parse(older).text).size
    return {"checkpoint": older, "proof": await _path(connection, consistency_ranges(old, size))}


async def _path(connection: Connection, ranges: tuple[Range, ...]) -> list[str]:
    tiles = await read_tiles(connection, tiles_of(ranges))
    return [each.hex() for each in proof_of(ranges, reader_of(tiles))]
