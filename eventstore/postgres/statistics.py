"""Statistics over Postgres."""

from typing import Final

import asyncpg

from eventstore.operations import PoolStatistics, ProgrammeStatistics
from eventstore.postgres.session import Statement, translated

_PROGRAMME: Final = Statement("""
SELECT h.status, h.rules_version,
       coalesce((SELECT sum(c.taken) FROM passage.place_counter AS c
                 JOIN passage.programme_pool AS m USING (programme, allotment) JOIN passage.pool AS p USING (pool)
                 WHERE c.programme = h.programme
                   AND c.period = CASE p.period WHEN 'total' THEN 'total' ELSE :month END), 0)
       - coalesce((SELECT sum(w.reserved) FROM passage.waiting_list AS w JOIN passage.pool AS p USING (pool)
                   WHERE w.programme = h.programme AND (p.period = 'total' OR w.reserved_period = :month)), 0) AS taken,
       (SELECT count(*) FROM passage.waiting_list AS w WHERE w.programme = h.programme) AS waiting
FROM passage.programme_head AS h WHERE h.programme = :programme
""")
"""A reserved place counts as taken against the cap, but its case is not authorized yet: it still waits."""

_POOLS: Final = Statement("""
SELECT p.pool, p.places, p.period,
       coalesce((SELECT sum(c.taken) FROM passage.programme_pool AS o
                 JOIN passage.place_counter AS c USING (programme, allotment)
                 WHERE o.pool = p.pool AND c.period = CASE p.period WHEN 'total' THEN 'total' ELSE :month END), 0)
       - coalesce((SELECT sum(w.reserved) FROM passage.waiting_list AS w
                   WHERE w.pool = p.pool AND (p.period = 'total' OR w.reserved_period = :month)), 0) AS taken
FROM passage.pool AS p
WHERE p.pool IN (SELECT pool FROM passage.programme_pool WHERE programme = :programme) ORDER BY p.pool
""")


class PostgresStatistics:
    """`Statistics` over a pool."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def programme(self, programme: str, month: str) -> ProgrammeStatistics | None:  # noqa: D102  # the port
        with translated():
            async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
                head = await connection.fetchrow(*_PROGRAMME(programme=programme, month=month))
                pools = await connection.fetch(*_POOLS(programme=programme, month=month))
        if head is None:
            return None
        return ProgrammeStatistics(
            status=head["status"],
            rules_version=head["rules_version"],
            authorized=int(head["taken"]),
            waiting=head["waiting"],
            pools=tuple(PoolStatistics(row["pool"], row["places"], row["period"], int(row["taken"])) for row in pools),
        )
