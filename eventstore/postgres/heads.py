"""Heads as they are stored, for the store and for those who verify it."""

from typing import Final

import asyncpg

from eventstore.places import Pool
from eventstore.summary import CaseSummary, ProgrammeSummary

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
        work_permit=row["work_permit"],
        authorized_last_day=row["authorized_last_day"],
        paroled_last_day=row["paroled_last_day"],
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
