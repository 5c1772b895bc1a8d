"""Histories that are kept with the log, and the check that each is the one its event tells of."""

import hashlib
import json
from typing import Any, Final

from audit.log.tables import Connection
from audit.verify.faults import Code, Faults
from eventstore.format.histories import HistoryDamaged, unpack

_ROWS: Final = 20
"""Histories held at once: at most some hundred KiB each, as they are kept."""

_OF_CASE: Final = """
SELECT h.run_id, h.case_id, h.content, e.public_body
FROM passage.run_history AS h
LEFT JOIN passage.events AS e ON e.stream = h.stream AND e.version = h.version AND e.type = 'HistoryStored'
WHERE h.case_id = $1 ORDER BY h.version
"""

_EVENTS: Final = """
SELECT e.stream, e.version, e.public_body, h.run_id, h.case_id, h.content
FROM passage.events AS e
LEFT JOIN passage.run_history AS h ON h.stream = e.stream AND h.version = e.version
WHERE e.stream LIKE 'access:%' AND e.type = 'HistoryStored' ORDER BY e.stream, e.version
"""
"""Every event that tells of a history, and the history."""

_UNTOLD: Final = """
SELECT h.run_id, h.case_id FROM passage.run_history AS h
WHERE NOT EXISTS (
    SELECT FROM passage.events AS e WHERE e.stream = h.stream AND e.version = h.version AND e.type = 'HistoryStored'
) ORDER BY h.run_id
"""


class NotAsTold(Exception):
    """A kept history is not the one that its event tells of; the text says how."""


def history_of(row: Any) -> dict[str, Any]:
    """The history of a row: `run_id`, `case_id`, `content` and its event's `public_body`. Raises NotAsTold."""
    try:
        told = json.loads(row["public_body"] or b"{}")
        named = (told["run"], told["case"]) == (row["run_id"], row["case_id"])
        text = unpack(row["content"], told["history_bytes"])
    except (ValueError, KeyError, TypeError):
        raise NotAsTold("no event tells of it") from None
    except HistoryDamaged:
        raise NotAsTold("it is not of the size that was recorded, or no history") from None
    if not named:
        raise NotAsTold(f"its event tells of run {told['run']} of {told['case']}")
    if hashlib.sha256(text).hexdigest() != told["history_sha256"]:
        raise NotAsTold("it does not hash to the hash that was recorded")
    history: dict[str, Any] = json.loads(text)
    return history


async def kept_of(connection: Connection, case_id: str) -> list[Any]:
    """The rows of a case's kept histories, for `history_of`, oldest first."""
    return list(await connection.fetch(_OF_CASE, case_id))


async def check_histories(connection: Connection, faults: Faults) -> int:
    """Hold every kept history to its event; how many events tell of one. Holds `_ROWS` of them at a time."""
    count = 0
    async for row in connection.cursor(_EVENTS, prefetch=_ROWS):
        count += 1
        if row["content"] is None:
            faults.add(Code.HISTORY_DELETED, row["stream"], row["version"], "the history that it tells of is gone")
            continue
        try:
            history_of(row)
        except NotAsTold as error:
            faults.add(Code.HISTORY_EDITED, row["stream"], row["version"], f"run {row['run_id']}: {error}")
    async for row in connection.cursor(_UNTOLD, prefetch=_ROWS):
        faults.add(Code.HISTORY_INSERTED, row["case_id"], None, f"no event tells of the history of run {row['run_id']}")
    return count
