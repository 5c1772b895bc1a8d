"""What operators see and the gateway counts, over Postgres: deliveries, statistics, and the guard; no content."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import asyncpg

from eventstore.operations import (
    DEAD_AFTER,
    Delivery,
    DeliveryFilter,
    Granted,
    PoolStatistics,
    ProgrammeStatistics,
    Refusal,
    RefusalView,
)
from eventstore.postgres.session import Statement, call, translated

_DELIVERY: Final = """
SELECT i.number, i.stream, i.source, i.message_id, i.kind, i.proof, i.received_at, i.answer, i.code,
       1 + coalesce(r.times, 0) AS deliveries, coalesce(n.attempts, 0) AS attempts, n.notified_at
"""
_FROM_ALL: Final = """
FROM passage.inbox AS i
LEFT JOIN passage.notification AS n ON n.number = i.number
LEFT JOIN passage.repeat AS r ON r.source = i.source AND r.message_id = i.message_id
"""
_FROM_WAITING: Final = """
FROM passage.notification AS n
JOIN passage.inbox AS i ON i.stream = n.stream AND i.number = n.number
LEFT JOIN passage.repeat AS r ON r.source = i.source AND r.message_id = i.message_id
"""
_WHERE: Final = """
WHERE (:source::text IS NULL OR i.source = :source) AND (:stream::text IS NULL OR i.stream = :stream)
  AND coalesce(n.attempts, 0) >= :attempts AND (:number::bigint IS NULL OR i.number = :number)
  AND (:message_id::text IS NULL OR i.message_id = :message_id) AND (:before::bigint IS NULL OR i.number < :before)
ORDER BY i.number DESC LIMIT :limit
"""
_ALL: Final = Statement(_DELIVERY + _FROM_ALL + _WHERE)
_WAITING: Final = Statement(_DELIVERY + _FROM_WAITING + _WHERE)
_REFUSALS: Final = Statement("""
SELECT partner, route, code, sender, message_id, times, first_at, last_at FROM passage.refusal
WHERE :partner::text IS NULL OR partner = :partner ORDER BY minute DESC, last_at DESC LIMIT :limit
""")
_REDRIVE: Final = Statement("SELECT * FROM passage.redrive(:numbers)")


class PostgresDeliveries:
    """`Deliveries` over a pool."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def find(self, wanted: DeliveryFilter) -> tuple[Delivery, ...]:  # noqa: D102  # the port says it
        statement = _WAITING if wanted.undecided or wanted.dead else _ALL
        asked = statement(
            source=wanted.source, stream=wanted.stream, attempts=DEAD_AFTER if wanted.dead else 0, number=wanted.number,
            message_id=wanted.message_id, before=wanted.before, limit=wanted.limit,
        )  # fmt: skip
        with translated():
            rows = await self._pool.fetch(*asked)
        return tuple(Delivery(*row) for row in rows)

    async def refusals(self, partner: str | None, limit: int) -> tuple[RefusalView, ...]:  # noqa: D102  # the port
        with translated():
            rows = await self._pool.fetch(*_REFUSALS(partner=partner, limit=limit))
        return tuple(RefusalView(*row) for row in rows)

    async def redrive(self, numbers: list[int]) -> frozenset[int]:  # noqa: D102  # the port says it
        with translated():
            rows = await self._pool.fetch(*_REDRIVE(numbers=numbers))
        return frozenset(row[0] for row in rows)


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


_REFUSAL_COLUMNS: Final = ("partner", "route", "code", "sender", "message_id")
_RECORD_REFUSALS: Final = Statement(
    f"SELECT {call('passage.record_refusals', [*(f'{name}s' for name in _REFUSAL_COLUMNS), 'times'])}"
)
_TAKE_TOKENS: Final = Statement(
    f"SELECT granted, wait_s FROM {call('passage.take_tokens', ('bucket', 'rate', 'burst', 'wanted'))}"  # noqa: S608  constants
)
_WAS_ASKED: Final = Statement("SELECT passage.was_asked(:case_id, :partner)")
_NOTE_REPEAT: Final = Statement("SELECT passage.note_repeat(:source, :message_id)")


class PostgresGuard:
    """`Guard` over a pool."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def record_refusals(self, refusals: Mapping[Refusal, int]) -> None:  # noqa: D102  # the port says it
        columns = {f"{name}s": [getattr(each, name) for each in refusals] for name in _REFUSAL_COLUMNS}
        with translated():
            await self._pool.execute(*_RECORD_REFUSALS(**columns, times=list(refusals.values())))

    async def record_refusal(self, refusal: Refusal) -> None:  # noqa: D102  # the port says it
        await self.record_refusals({refusal: 1})

    async def prune_refusals(self) -> int:  # noqa: D102  # the port says it
        with translated():
            pruned: int = await self._pool.fetchval("SELECT passage.prune_refusals()")
        return pruned

    async def take_tokens(self, sender: str, rate_per_s: float, burst: float, wanted: int) -> Granted:  # noqa: D102  # the port
        with translated():
            row = await self._pool.fetchrow(*_TAKE_TOKENS(bucket=sender, rate=rate_per_s, burst=burst, wanted=wanted))
        assert row is not None  # noqa: S101  # a function that returns one row
        return Granted(*row)

    async def was_asked(self, case_id: str, partner: str) -> bool | None:  # noqa: D102  # the port says it
        with translated():
            found: bool | None = await self._pool.fetchval(*_WAS_ASKED(case_id=case_id, partner=partner))
        return found

    async def revoke_token(self, digest: bytes, expires_at: datetime) -> None:  # noqa: D102  # the port says it
        with translated():
            await self._pool.execute("SELECT passage.revoke_token($1, $2)", digest, expires_at)

    async def token_is_revoked(self, digest: bytes) -> bool:  # noqa: D102  # the port says it
        with translated():
            revoked: bool = await self._pool.fetchval("SELECT passage.token_is_revoked($1)", digest)
        return revoked

    async def note_read(self, caller: str, case_id: str) -> None:  # noqa: D102  # the port says it
        with translated():
            await self._pool.execute("SELECT passage.note_read($1, $2)", caller, case_id)

    async def prune_reads(self) -> int:  # noqa: D102  # the port says it
        with translated():
            pruned: int = await self._pool.fetchval("SELECT passage.prune_reads()")
        return pruned

    async def note_repeat(self, source: str, message_id: str) -> None:  # noqa: D102  # the port says it
        with translated():
            await self._pool.execute(*_NOTE_REPEAT(source=source, message_id=message_id))
