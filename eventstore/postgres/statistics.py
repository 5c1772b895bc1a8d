"""Statistics over Postgres."""

import asyncpg

from eventstore.operations import ProgrammeStatistics
from eventstore.postgres.session import translated

_PROGRAMME = """
SELECT p.status, p.rules_version, p.places, p.cap_period,
       coalesce((SELECT c.taken FROM passage.place_counter AS c
                 WHERE c.programme = p.programme
                   AND c.period = CASE p.cap_period WHEN 'total' THEN 'total' ELSE $2 END), 0)
       - (SELECT count(*) FROM passage.waiting_list AS w
          WHERE w.programme = p.programme AND w.reserved_month IS NOT NULL
            AND (p.cap_period = 'total' OR w.reserved_month = $2)) AS authorized,
       (SELECT count(*) FROM passage.waiting_list AS w WHERE w.programme = p.programme) AS waiting
FROM passage.programme_head AS p WHERE p.programme = $1
"""
"""A reserved place counts as taken against the cap, but its case is not authorized yet: it still waits."""


class PostgresStatistics:
    """`Statistics` over a pool."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def programme(self, programme: str, month: str) -> ProgrammeStatistics | None:  # noqa: D102  # the port
        with translated():
            row = await self._pool.fetchrow(_PROGRAMME, programme, month)
        return None if row is None else ProgrammeStatistics(**row)
