"""A refusal is recorded before it is answered: who, where, when and why, and nothing of what was sent.

Refusals that arrive while others are being written are written together in the next transaction, so that a flood of
forged messages uses one connection at a time.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final

from eventstore.conflicts import StoreUnavailable
from eventstore.operations import Guard, Refusal

IDS_A_MINUTE: Final = 200
"""Message ids that one process keeps in a minute. Further refusals are counted without theirs."""


async def unrecorded(_: Refusal) -> None:
    """Records nothing: for simulations."""


@dataclass(slots=True)
class _Batch:
    counts: "Counter[Refusal]" = field(default_factory=Counter)
    written: bool = False
    failed: bool = False


class Refusals:
    """`RecordRefusal` over a guard."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._writing = asyncio.Lock()
        self._batch = _Batch()
        self._minute = 0
        self._ids = 0

    async def __call__(self, refusal: Refusal) -> None:
        """Return once the refusal is durable.

        Raises:
            StoreUnavailable: it is not recorded, so it must not be answered as refused.
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
        batch.failed = True
        await self._guard.record_refusals(batch.counts)
        batch.written, batch.failed = True, False
