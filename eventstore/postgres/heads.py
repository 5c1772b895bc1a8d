"""Heads as they are stored: one of them, and page by page; for the store and for those who verify it."""

import json
from collections.abc import AsyncIterator
from typing import Final

import asyncpg

from eventstore.places import Pool
from eventstore.postgres.session import Statement, translated
from eventstore.summary import CaseSummary, ProgrammeSummary, SummaryFilter

_PAGE: Final = 500
"""Rows of one page of a listing."""
_SWEEP_PAGE: Final = 5000
"""Of the sweep, which reads all open cases: some 2 MB."""

CASE_HEAD: Final = Statement("SELECT * FROM passage.case_head WHERE case_id = :case_id")

PROGRAMME: Final = """
SELECT h.*, d.* FROM passage.programme_head AS h CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(m.allotment ORDER BY m.allotment), '{}') AS allotments,
           coalesce(array_agg(m.pool ORDER BY m.allotment), '{}') AS pools,
           coalesce(array_agg(p.places ORDER BY m.allotment), '{}') AS places,
           coalesce(array_agg(p.period ORDER BY m.allotment), '{}') AS periods,
           coalesce(array_agg(p.named ORDER BY m.allotment), '{}') AS named
    FROM passage.programme_pool AS m JOIN passage.pool AS p USING (pool) WHERE m.programme = h.programme
) AS d
"""
"""A programme with the pools that it draws on; a condition on `h` may follow."""
PROGRAMME_HEAD: Final = Statement(f"{PROGRAMME} WHERE h.programme = :programme")

_SUMMARIES: Final = Statement("""
SELECT * FROM passage.case_head
WHERE filed_number > :after
  AND (:programme::text IS NULL OR programme = :programme)
  AND (:stage::text IS NULL OR stage = :stage)
  AND (:waiting_on::text IS NULL OR waiting_on = :waiting_on)
  AND (:outcome::text IS NULL OR outcome = :outcome)
  AND (:open::boolean IS NULL OR closed <> :open)
ORDER BY filed_number LIMIT :page
""")
_OPEN: Final = Statement("""
SELECT h.filed_number, h.case_id FROM passage.case_head AS h
WHERE NOT h.closed AND h.filed_number > :after
  AND (h.due_at IS NOT NULL OR h.waiting_on IS NOT NULL
       OR EXISTS (SELECT FROM passage.notification AS n WHERE n.stream = h.case_id)
       OR EXISTS (SELECT FROM passage.outbound_call AS o
                  WHERE o.case_id = h.case_id AND o.accepted_at IS NULL AND o.dropped_at IS NULL))
ORDER BY h.filed_number LIMIT :page
""")
_FILING: Final = Statement("""
SELECT DISTINCT n.stream FROM passage.notification AS n
WHERE n.stream > :after AND NOT EXISTS (SELECT FROM passage.case_head AS h WHERE h.case_id = n.stream)
  AND NOT EXISTS (SELECT FROM passage.programme_head AS p WHERE p.programme = n.stream)
ORDER BY n.stream LIMIT :page
""")
"""Cases whose filing is not decided yet: they have no head."""


def case_summary(row: asyncpg.Record) -> CaseSummary:
    """A row of `passage.case_head`."""
    return CaseSummary(
        case_id=row["case_id"],
        programme=row["programme"],
        rules_version=row["rules_version"],
        stage=row["stage"],
        waiting_on=row["waiting_on"],
        since=row["since"],
        filed_at=row["filed_at"],
        due_name=row["due_name"],
        due_at=row["due_at"],
        outcome=row["outcome"],
        reason=row["reason"],
        facts=json.loads(row["facts"]),
        flags=tuple(row["flags"]),
        closed=row["closed"],
        held=row["held"],
        overdue_since=row["overdue_since"],
    )


def programme_summary(row: asyncpg.Record) -> ProgrammeSummary:
    """A row of `PROGRAMME`."""
    drawn = zip(row["allotments"], row["pools"], row["places"], row["periods"], row["named"], strict=True)
    return ProgrammeSummary(
        programme=row["programme"],
        status=row["status"],
        rules_version=row["rules_version"],
        pools={allotment: Pool(*pool) for allotment, *pool in drawn},
    )


async def summaries(pool: "asyncpg.Pool[asyncpg.Record]", where: SummaryFilter) -> AsyncIterator[CaseSummary]:
    """As the port says it."""
    after, left = 0, where.limit
    while left is None or left > 0:
        page = _PAGE if left is None else min(left, _PAGE)
        with translated():
            rows = await pool.fetch(
                *_SUMMARIES(
                    after=after, programme=where.programme, stage=where.stage, waiting_on=where.waiting_on,
                    outcome=where.outcome, open=where.open, page=page,
                )
            )  # fmt: skip
        for row in rows:
            yield case_summary(row)
        if len(rows) < page:
            return
        after, left = rows[-1]["filed_number"], None if left is None else left - len(rows)


async def stuck_candidates(pool: "asyncpg.Pool[asyncpg.Record]") -> AsyncIterator[str]:
    """As the port says it: open cases in the order of their filing, then those whose filing is undecided."""
    number, rows = -1, None
    while rows is None or len(rows) == _SWEEP_PAGE:
        with translated():
            rows = await pool.fetch(*_OPEN(after=number, page=_SWEEP_PAGE))
        for row in rows:
            number = row["filed_number"]
            yield row["case_id"]
    stream, rows = "", None
    while rows is None or len(rows) == _SWEEP_PAGE:
        with translated():
            rows = await pool.fetch(*_FILING(after=stream, page=_SWEEP_PAGE))
        for row in rows:
            stream = row["stream"]
            yield stream
