"""What was refused is on record before it is answered: who, where, when and why, and nothing of what was sent.

Refusals that come while one is being written are written together after it, by one connection: a flood of forged
messages costs a transaction at a time, and never takes the connections of those that are good.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final

import asyncpg

from eventstore.conflicts import StoreUnavailable
from eventstore.postgres.session import translated

IDS_A_MINUTE: Final = 200
"""Message ids kept by one process; refusals beyond them are counted without theirs."""

_RECORD: Final = "SELECT passage.record_refusals($1, $2, $3, $4, $5, $6)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One request that was refused. Texts are empty where nothing is known."""

    partner: str
    """The partner whose address it was sent to."""
    route: str
    code: str
    sender: str
    """The identity that was proven, or claimed where unsigned messages are taken."""
    message_id: str
    """Only one that is well formed."""


async def unrecorded(_: Refusal) -> None:
    """Keeps nothing: for simulations."""


@dataclass(slots=True)
class _Batch:
    counts: "Counter[Refusal]" = field(default_factory=Counter)
    written: bool = False
    failed: bool = False


class Refusals:
    """`RecordRefusal` over the gateway's side connections."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._writing = asyncio.Lock()
        self._batch = _Batch()
        self._minute = 0
        self._ids = 0

    async def __call__(self, refusal: Refusal) -> None:
        """Return once it is durable.

        Raises:
            StoreUnavailable: it is not on record, so it must not be answered as refused.
        """
        batch = self._batch
        batch.counts[self._bounded(refusal)] += 1
        async with self._writing:
            if not (batch.written or batch.failed):
                self._batch = _Batch()
                await self._write(batch)
        if batch.failed:
            raise StoreUnavailable("refusals cannot be recorded")

    def _bounded(self, refusal: Refusal) -> Refusal:
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._ids = minute, 0
        self._ids += 1
        return refusal if self._ids <= IDS_A_MINUTE else replace(refusal, message_id="")

    async def _write(self, batch: _Batch) -> None:
        kept = list(batch.counts)
        columns = [[getattr(each, name) for each in kept] for name in _COLUMNS]
        batch.failed = True
        with translated():
            await self._pool.execute(_RECORD, *columns, [batch.counts[each] for each in kept])
        batch.written, batch.failed = True, False


_COLUMNS: Final = ("partner", "route", "code", "sender", "message_id")
