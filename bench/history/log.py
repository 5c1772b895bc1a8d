"""A log of many million events, made on the server: copies of one whole, encrypted case, under ids of their own.

Rows are as long as those of an append and lie as they would: in the order of time, so that the events of a case are
far apart, the index as full as random ids leave it. Each head fits the last of its events. Headers and hashes are the
copied case's, so nothing here verifies. Leaves and tiles are left out: no append reads them.
"""

from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from bench.made_log import make_log

_INDEX_FULL_PERCENT: Final = 70
"""Of a B-tree's pages after random inserts."""

_IDS: Final = """
CREATE TABLE made_case AS
SELECT 'VEN-' || upper(to_hex(4294967296 + n * 2654435761 % 4294967296)) AS case_id, n
FROM generate_series(1::bigint, $1::bigint) AS n
"""
"""As long as ours, each once, in no order: the multiplier is odd, so it only shuffles the 32 bits."""

_EVENT: Final = {
    "stream": "m.case_id",
    "event_id": "m.case_id || ':' || c.version",
    "command_id": "'bench:' || m.case_id",
    "key_id": "CASE WHEN c.key_id IS NOT NULL THEN m.case_id END",
}
_HEAD: Final = {"case_id": "m.case_id", "filed_number": "m.n"}
_LONGEST_S: Final = 3600.0
"""Ten million rows take minutes."""


@dataclass(frozen=True, slots=True)
class MadeHistory:
    """The made cases; all of them end alike."""

    cases: list[str]
    version: int
    hash: bytes


async def make_history(database_url: str, events: int) -> MadeHistory:
    """Fill an empty, migrated database with so many events, about 1.3 gigabytes a million."""
    await make_log(database_url, 1)
    connection: Any = await asyncpg.connect(database_url, command_timeout=_LONGEST_S)
    try:
        copied, versions, last = await connection.fetchrow("SELECT case_id, version, hash FROM passage.case_head")
        await connection.execute(_IDS.replace("$1", str(events // versions)))
        await connection.execute("ALTER TABLE passage.events DROP CONSTRAINT events_pkey")
        for version in range(1, versions + 1):
            of_version = f"c.stream = '{copied}' AND c.version = {version}"
            await connection.execute(await _copies(connection, "events", _EVENT, of_version))
        await connection.execute(
            "ALTER TABLE passage.events ADD CONSTRAINT events_pkey PRIMARY KEY (stream, version) "
            f"WITH (fillfactor = {_INDEX_FULL_PERCENT})",
        )
        await connection.execute(await _copies(connection, "case_head", _HEAD, f"c.case_id = '{copied}'"))
        for table in ("events", "case_head"):
            await connection.execute(f"VACUUM (FREEZE, ANALYZE) passage.{table}")
        await connection.execute("CHECKPOINT")
        ids = [row["case_id"] for row in await connection.fetch("SELECT case_id FROM made_case")]
        return MadeHistory(ids, versions, last)
    finally:
        await connection.close()


async def _copies(connection: Any, table: str, other: dict[str, str], where: str) -> str:
    """The statement that copies one row of the table for each made case."""
    names = [
        row["attname"]
        for row in await connection.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped "
            "ORDER BY attnum",
            f"passage.{table}",
        )
    ]
    values = ", ".join(other.get(name, f"c.{name}") for name in names)
    return (
        f"INSERT INTO passage.{table} ({', '.join(names)}) "  # noqa: S608  names from the catalogue
        f"SELECT {values} FROM made_case AS m CROSS JOIN passage.{table} AS c WHERE {where} ORDER BY m.n"
    )
