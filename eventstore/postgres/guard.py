"""The gateway's guard over Postgres."""

from collections.abc import Mapping
from typing import Final

import asyncpg

from eventstore.operations import Granted, Refusal
from eventstore.postgres.session import translated

_RECORD: Final = "SELECT passage.record_refusals($1, $2, $3, $4, $5, $6)"
_COLUMNS: Final = ("partner", "route", "code", "sender", "message_id")
_TAKE: Final = "SELECT granted, wait_s FROM passage.take_tokens($1, $2, $3, $4)"


class PostgresGuard:
    """`Guard` over a pool."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def record_refusals(self, refusals: Mapping[Refusal, int]) -> None:  # noqa: D102  # the port says it
        columns = [[getattr(each, name) for each in refusals] for name in _COLUMNS]
        with translated():
            await self._pool.execute(_RECORD, *columns, list(refusals.values()))

    async def prune_refusals(self) -> int:  # noqa: D102  # the port says it
        with translated():
            pruned: int = await self._pool.fetchval("SELECT passage.prune_refusals()")
        return pruned

    async def take_tokens(self, sender: str, rate_per_s: float, burst: float, wanted: int) -> Granted:  # noqa: D102  # the port
        with translated():
            row = await self._pool.fetchrow(_TAKE, sender, rate_per_s, burst, wanted)
        assert row is not None  # noqa: S101  # a function that returns one row
        return Granted(*row)

    async def was_asked(self, case_id: str, partner: str) -> bool | None:  # noqa: D102  # the port says it
        with translated():
            found: bool | None = await self._pool.fetchval("SELECT passage.was_asked($1, $2)", case_id, partner)
        return found

    async def note_repeat(self, source: str, message_id: str) -> None:  # noqa: D102  # the port says it
        with translated():
            await self._pool.execute("SELECT passage.note_repeat($1, $2)", source, message_id)
