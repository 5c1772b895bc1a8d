"""The statements that read, in one round trip, what an activity would otherwise ask for one after another.

Each is one statement, so all that it reads is of one moment. With an append that moment is just before it: the row that
the append decides, and the calls that it opens and drops, are known without reading.
"""

from typing import Any, Final

import asyncpg

from eventstore.format.envelope import Envelope
from eventstore.port import Append, OpenedCall
from eventstore.postgres.append import OF_CASE
from eventstore.postgres.session import Statement, call
from eventstore.world import WorldQuery, WorldRead

ROW_COLUMNS: Final = (
    "number", "stream", "case_id", "programme", "source", "message_id", "kind", "body", "key_id", "digest",
    "received_at", "proof",
)  # fmt: skip
"""Of an inbox row, as `PostgresInbox` reads it."""
_ROW: Final = ", ".join(f"i.{column} AS row_{column}" for column in ROW_COLUMNS)
_CALLS: Final = "c.request_ids, c.partners, c.attempts"

_UNDECIDED: Final = f"SELECT {', '.join(ROW_COLUMNS)} FROM passage.inbox WHERE stream = :case AND answer IS NULL"  # noqa: S608  constants
_OWED: Final = """
    SELECT array_agg(request_id ORDER BY opened_at, request_id) AS request_ids,
           array_agg(partner ORDER BY opened_at, request_id) AS partners,
           array_agg(attempts ORDER BY opened_at, request_id) AS attempts
    FROM passage.outbound_call WHERE case_id = :case AND accepted_at IS NULL AND dropped_at IS NULL
"""
_EVENTS: Final = ", ".join(f"array_agg({column}) AS {column}" for column in Envelope._fields)

LOOK: Final = Statement(f"""
SELECT {", ".join(f"e.{column} AS event_{column}" for column in Envelope._fields)}, {_ROW}, {_CALLS}, w.*,
       coalesce(h.programme, i.programme, '') AS programme
FROM (SELECT {_EVENTS} FROM (SELECT * FROM passage.events WHERE stream = :case ORDER BY version) AS stored) AS e
LEFT JOIN passage.case_head AS h ON h.case_id = :case
LEFT JOIN LATERAL ({_UNDECIDED} ORDER BY number LIMIT 1) AS i ON true
CROSS JOIN LATERAL ({_OWED}) AS c
CROSS JOIN LATERAL passage.read_world(
    coalesce(h.programme, i.programme), :case, NULL, 1, :month, NULL, NULL, NULL) AS w
""")  # noqa: S608  constants

APPEND_AND_LOOK: Final = Statement(f"""
SELECT a.*, seen.*
FROM (
    SELECT :case::text AS appended_to, {_ROW}, {_CALLS}
    FROM ({_OWED} AND request_id <> ALL (coalesce(:dropped::text[], '{{}}'))) AS c
    LEFT JOIN LATERAL ({_UNDECIDED} AND number IS DISTINCT FROM :number::bigint ORDER BY number LIMIT 1) AS i ON true
) AS seen CROSS JOIN LATERAL {call("passage.append_case", OF_CASE, case="seen.appended_to")} AS a
""")  # noqa: S608  constants
"""It looks first, which the argument taken from it makes sure of: nothing is read while the append holds its locks."""


def rows_of(record: asyncpg.Record) -> list[Envelope]:
    """The events of a `LOOK`."""
    columns = [record[f"event_{column}"] or () for column in Envelope._fields]
    return [Envelope._make(row) for row in zip(*columns, strict=True)]


def undecided_of(record: asyncpg.Record) -> dict[str, Any] | None:
    """The columns of the inbox row that is next, None where none waits."""
    if record["row_number"] is None:
        return None
    return {column: record[f"row_{column}"] for column in ROW_COLUMNS}


def owed_of(record: asyncpg.Record, opened: Append | None = None) -> tuple[OpenedCall, ...]:
    """The calls that are owed, those that `opened` opens included."""
    kept = zip(record["request_ids"] or (), record["partners"] or (), record["attempts"] or (), strict=True)
    return (*(OpenedCall(*call) for call in kept), *(opened.calls if opened is not None else ()))


def world_of(record: asyncpg.Record, query: WorldQuery) -> WorldRead:
    """The answer of `passage.read_world` to `query`."""
    return WorldRead(
        programme_version=record["programme_version"],
        place=record["place"],
        places_left=record["places_left"],
        person_versions=dict(zip(query.person_keys, record["person_versions"] or (), strict=True)),
        same_person=tuple(record["same_person"]),
        earlier_filing_pending=record["earlier_filing_pending"],
        principal_open=record["principal_open"],
        earlier_supporter_cases=record["earlier_supporter_cases"],
        shared_details=tuple(record["shared_details"]),
    )
