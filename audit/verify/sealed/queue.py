"""Events without a leaf, leaves without an event, and the queue between them, each found by a join on the server.

And boarding checks that are no events yet.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from audit.log.tables import Connection
from audit.verify.faults import Code, Faults
from domain.access import access_stream

_ROWS: Final = 1000

_WAITING = """
SELECT e.stream, e.version, e.recorded_at, q.id IS NOT NULL AS queued
FROM passage.events AS e
LEFT JOIN passage.leaf AS l ON l.stream = e.stream AND l.version = e.version
LEFT JOIN (SELECT u.id, u.stream, v.version FROM passage.unsealed AS u
           CROSS JOIN LATERAL generate_series(u.first_version, u.last_version) AS v(version)) AS q
    ON q.stream = e.stream AND q.version = e.version
WHERE l.leaf_index IS NULL ORDER BY e.stream, e.version
"""
"""Every event that has no leaf, and whether it waits for one."""

_GONE = """
SELECT l.stream, l.version, l.leaf_index,
       (SELECT max(e.version) FROM passage.events AS e WHERE e.stream = l.stream) AS last
FROM passage.leaf AS l LEFT JOIN passage.events AS e ON e.stream = l.stream AND e.version = l.version
WHERE l.stream IS NOT NULL AND e.stream IS NULL ORDER BY l.stream, l.version
"""
"""Every leaf whose event is gone."""

_QUEUED_WRONGLY = """
SELECT u.stream, v.version, l.leaf_index IS NOT NULL AS sealed,
       (SELECT max(e.version) FROM passage.events AS e WHERE e.stream = u.stream) AS last
FROM passage.unsealed AS u CROSS JOIN LATERAL generate_series(u.first_version, u.last_version) AS v(version)
LEFT JOIN passage.events AS e ON e.stream = u.stream AND e.version = v.version
LEFT JOIN passage.leaf AS l ON l.stream = u.stream AND l.version = v.version
WHERE e.stream IS NULL OR l.leaf_index IS NOT NULL ORDER BY u.stream, v.version
"""
"""Every place in the queue whose event is gone, or has its leaf already."""

_NOTED = """
SELECT programme, count(*) AS waiting, min(noted_at) AS since FROM passage.boarding_check
GROUP BY programme ORDER BY programme
"""
"""Answers to carriers that stand in no access stream yet."""


async def check_noted(connection: Connection, faults: Faults, now: datetime, max_lag: timedelta) -> None:
    """Accuse boarding checks that have waited longer than is published to become events."""
    for row in await connection.fetch(_NOTED):
        waited = now - row["since"]
        if waited > max_lag:
            detail = f"{row['waiting']} boarding checks are no events, the oldest for {waited.total_seconds():.0f} s"
            faults.add(Code.CHECK_LATE, access_stream(row["programme"]), None, detail)


async def check_queue(connection: Connection, faults: Faults, now: datetime, max_lag: timedelta, waiting: int) -> None:
    """`waiting` is how many events had no leaf: with none, the first join is spared."""
    removed: set[str] = set()
    if waiting:
        async for row in _rows(connection, _WAITING):
            _tell_waiting(row, faults, now, max_lag)
    async for row in _rows(connection, _GONE):
        _tell_gone(row, faults, f"leaf {row['leaf_index']}", removed)
    async for row in _rows(connection, _QUEUED_WRONGLY):
        if row["sealed"]:
            faults.add(Code.SEAL_QUEUE_EDITED, row["stream"], row["version"], "waits for a seal that it has")
        else:
            _tell_gone(row, faults, "the queue of the sealer", removed)


def _tell_waiting(row: Any, faults: Faults, now: datetime, max_lag: timedelta) -> None:
    waited = now - row["recorded_at"]
    if not row["queued"]:
        faults.add(Code.EVENT_INSERTED, row["stream"], row["version"], "it has no leaf and waits for none")
    elif waited > max_lag:
        detail = f"unsealed for {waited.total_seconds():.0f} s; {max_lag.total_seconds():.0f} s are published"
        faults.add(Code.SEAL_LATE, row["stream"], row["version"], detail)


def _tell_gone(row: Any, faults: Faults, known_by: str, removed: set[str]) -> None:
    """`removed` keeps the streams already told: a case that is gone is one fault, however many events it had."""
    stream, version, last = row["stream"], row["version"], row["last"]
    if last is None:
        if stream not in removed:
            removed.clear()  # rows come by stream
            removed.add(stream)
            faults.add(Code.CASE_REMOVED, stream, None, f"no event is left of it; {known_by} knows it")
    elif version > last:
        faults.add(Code.TAIL_TRUNCATED, stream, version, f"{known_by} has it, and the case ends at {last}")
    # Between two events that are there, it was told as a gap.


async def _rows(connection: Connection, query: str) -> Any:
    async for row in connection.cursor(query, prefetch=_ROWS):
        yield row
