"""What came in, as operators ask for it: deliveries, answers, what waits, what was refused; no content."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import asyncpg

from eventstore.inbox import Answer
from eventstore.postgres.session import translated

DEAD_AFTER: Final = 10
"""A message whose bell was rung so often, some five minutes, and that no worker took: somebody must look."""

State = Literal["accepted", "rejected", "undecided", "dead"]

_COLUMNS: Final = """
SELECT i.number, i.stream, i.source, i.message_id, i.kind, i.sender, i.received_at, i.answer, i.code,
       1 + coalesce(r.times, 0) AS deliveries, coalesce(b.attempts, 0) AS rings, b.notified_at
"""
_FROM_ALL: Final = """
FROM passage.inbox AS i
LEFT JOIN passage.notification AS b ON b.number = i.number
LEFT JOIN passage.repeat AS r ON r.source = i.source AND r.message_id = i.message_id
"""
_FROM_WAITING: Final = """
FROM passage.notification AS b
JOIN passage.inbox AS i ON i.stream = b.stream AND i.number = b.number
LEFT JOIN passage.repeat AS r ON r.source = i.source AND r.message_id = i.message_id
"""
_WHERE: Final = """
WHERE ($1::text IS NULL OR i.source = $1) AND ($2::text IS NULL OR i.stream = $2)
  AND coalesce(b.attempts, 0) >= $3 AND ($4::bigint IS NULL OR i.number = $4)
  AND ($5::text IS NULL OR i.message_id = $5) AND ($6::bigint IS NULL OR i.number < $6)
ORDER BY i.number DESC LIMIT $7
"""
_REFUSALS: Final = """
SELECT partner, route, code, sender, message_id, times, first_at, last_at FROM passage.refusal
WHERE $1::text IS NULL OR partner = $1 ORDER BY minute DESC, last_at DESC LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message in the inbox, without its content."""

    number: int
    stream: str
    """The case, or the programme."""
    source: str
    message_id: str
    kind: str
    sender: str
    """How it was known whose it is."""
    received_at: datetime
    answer: Answer | None
    code: str | None
    deliveries: int
    """How often it came, the first time included."""
    rings: int
    """How often its case was rung, while it has no answer."""
    rung_at: datetime | None

    @property
    def state(self) -> State:
        """Its answer, or how it waits."""
        return self.answer or ("dead" if self.rings >= DEAD_AFTER else "undecided")


@dataclass(frozen=True, slots=True)
class RefusalView:
    """Refusals that are alike, of one minute."""

    partner: str
    route: str
    code: str
    sender: str
    message_id: str
    times: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which deliveries; None is any."""

    source: str | None = None
    stream: str | None = None
    number: int | None = None
    message_id: str | None = None
    undecided: bool = False
    dead: bool = False
    before: int | None = None
    """Only those with a lower number: the next page."""
    limit: int = 50


class Deliveries:
    """Reads the inbox, and has bells rung anew."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def find(self, wanted: Wanted) -> list[Delivery]:
        """The latest first. Raises `StoreUnavailable`."""
        origin = _FROM_WAITING if wanted.undecided or wanted.dead else _FROM_ALL
        statement = _COLUMNS + origin + _WHERE
        least = DEAD_AFTER if wanted.dead else 0
        about: tuple[Any, ...] = (wanted.source, wanted.stream, least, wanted.number, wanted.message_id, wanted.before)
        with translated():
            rows = await self._pool.fetch(statement, *about, wanted.limit)
        return [Delivery(*row) for row in rows]

    async def refusals(self, partner: str | None, limit: int) -> list[RefusalView]:
        """What was refused, the latest first. Raises `StoreUnavailable`."""
        with translated():
            rows = await self._pool.fetch(_REFUSALS, partner, limit)
        return [RefusalView(*row) for row in rows]

    async def redrive(self, numbers: list[int]) -> frozenset[int]:
        """Have the relay ring these at once; those that wait. Raises `StoreUnavailable`."""
        with translated():
            rows = await self._pool.fetch("SELECT * FROM passage.redrive($1)", numbers)
        return frozenset(row[0] for row in rows)
