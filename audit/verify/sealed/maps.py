"""Map seals: each is the leaf that it says, and the newest ones are built anew from the leaves they speak of."""

from typing import Any, Final

from audit.log.maps import MapHeader
from audit.log.merkle import leaf_hash
from audit.log.tables import Connection, MapIncomplete, map_header
from audit.verify.faults import Code, Faults

MAPS_REBUILT: Final = 3
"""Rebuilding one costs some 15 µs a stream; that older ones are unchanged, the tree shows."""
_ROWS: Final = 500

_SEALS: Final = """
SELECT coalesce(m.leaf_index, l.leaf_index) AS leaf_index, m.header, l.hash
FROM passage.map_seal AS m FULL JOIN (SELECT leaf_index, hash FROM passage.leaf WHERE stream IS NULL) AS l
    ON l.leaf_index = m.leaf_index
ORDER BY 1 DESC
"""


async def check_maps(connection: Connection, faults: Faults, rebuilt: int | None = MAPS_REBUILT) -> int:
    """Check every map seal, and build the `rebuilt` newest anew; how many there are."""
    seals = 0
    headers: list[tuple[int, MapHeader]] = []
    async for row in connection.cursor(_SEALS, prefetch=_ROWS):
        seals += 1
        header = _opened(row, faults)
        if header is not None and (rebuilt is None or len(headers) < rebuilt):
            headers.append((row["leaf_index"], header))
    for leaf_index, header in headers:
        await _rebuild(connection, faults, leaf_index, header)
    return seals


def _opened(row: Any, faults: Faults) -> MapHeader | None:
    place = f"map seal at leaf {row['leaf_index']}"
    if row["header"] is None or row["hash"] is None or leaf_hash(row["header"]) != row["hash"]:
        faults.add(Code.MAP_SEAL_EDITED, None, None, f"{place} is not what was sealed")
        return None
    try:
        header = MapHeader.parse(row["header"])
    except ValueError as error:
        faults.add(Code.MAP_SEAL_EDITED, None, None, f"{place}: {error}")
        return None
    if header.log_size > row["leaf_index"]:
        faults.add(Code.MAP_SEAL_EDITED, None, None, f"{place} speaks of leaves after it")
        return None
    return header


async def _rebuild(connection: Connection, faults: Faults, leaf_index: int, header: MapHeader) -> None:
    why = "the leaves before it give other heads"
    try:
        if await map_header(connection, header.log_size) == header:
            return
    except MapIncomplete as error:
        why = str(error)
    faults.add(Code.MAP_SEAL_DIFFERS, None, None, f"map seal at leaf {leaf_index}: {why}")
