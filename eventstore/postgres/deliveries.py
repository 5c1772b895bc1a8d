"""Deliveries over Postgres: what came in, what waits, what was refused; no content."""

from typing import Final

import asyncpg

from eventstore.operations import DEAD_AFTER, Delivery, DeliveryFilter, RefusalView
from eventstore.postgres.session import translated

_COLUMNS: Final = """
SELECT i.number, i.stream, i.source, i.message_id, i.kind, i.sender, i.received_at, i.answer, i.code,
       1 + coalesce(r.times, 0) AS deliveries, coalesce(b.rings, 0) AS rings, b.rung_at
"""
_FROM_ALL: Final = """
FROM passage.inbox AS i
LEFT JOIN passage.bell AS b ON b.number = i.number
LEFT JOIN passage.repeat AS r ON r.source = i.source AND r.message_id = i.message_id
"""
_FROM_WAITING: Final = """
FROM passage.bell AS b
JOIN passage.inbox AS i ON i.stream = b.stream AND i.number = b.number
LEFT JOIN passage.repeat AS r ON r.source = i.source AND r.message_id = i.message_id
"""
_WHERE: Final = """
WHERE ($1::text IS NULL OR i.source = $1) AND ($2::text IS NULL OR i.stream = $2)
  AND coalesce(b.rings, 0) >= $3 AND ($4::bigint IS NULL OR i.number = $4)
  AND ($5::text IS NULL OR i.message_id = $5) AND ($6::bigint IS NULL OR i.number < $6)
ORDER BY i.number DESC LIMIT $7
"""
_REFUSALS: Final = """
SELECT partner, route, code, sender, message_id, times, first_at, last_at FROM passage.refusal
WHERE $1::text IS NULL OR partner = $1 ORDER BY minute DESC, last_at DESC LIMIT $2
"""


class PostgresDeliveries:
    """`Deliveries` over a pool."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def find(self, wanted: DeliveryFilter) -> tuple[Delivery, ...]:  # noqa: D102  # the port says it
        origin = _FROM_WAITING if wanted.undecided or wanted.dead else _FROM_ALL
        least = DEAD_AFTER if wanted.dead else 0
        with translated():
            rows = await self._pool.fetch(
                _COLUMNS + origin + _WHERE,
                wanted.source, wanted.stream, least, wanted.number, wanted.message_id, wanted.before, wanted.limit,
            )  # fmt: skip
        return tuple(Delivery(*row) for row in rows)

    async def refusals(self, partner: str | None, limit: int) -> tuple[RefusalView, ...]:  # noqa: D102  # the port
        with translated():
            rows = await self._pool.fetch(_REFUSALS, partner, limit)
        return tuple(RefusalView(*row) for row in rows)

    async def redrive(self, numbers: list[int]) -> frozenset[int]:  # noqa: D102  # the port says it
        with translated():
            rows = await self._pool.fetch("SELECT * FROM passage.redrive($1)", numbers)
        return frozenset(row[0] for row in rows)
