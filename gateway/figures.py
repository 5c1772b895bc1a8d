"""The programme's figures, counted where the cap is kept."""

from dataclasses import dataclass
from typing import Literal

import asyncpg

from eventstore.postgres.session import translated

_FIGURES = """
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


@dataclass(frozen=True, slots=True)
class ProgrammeStatistics:
    """A programme at one moment."""

    status: Literal["open", "suspended", "terminated"]
    rules_version: str
    places: int
    cap_period: Literal["total", "month"]
    authorized: int
    """Places taken and not freed; under a monthly cap those of the current month."""
    waiting: int
    """Cases ready to be authorized for which there is no place yet."""


class PostgresStatistics:
    """`ReadFigures` over the event store's database."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def __call__(self, programme: str, month: str) -> ProgrammeStatistics | None:
        """The figures of `programme` in `month`, of one moment; None where it was never opened.

        Raises:
            StoreUnavailable: to be retried.
        """
        with translated():
            row = await self._pool.fetchrow(_FIGURES, programme, month)
        return None if row is None else ProgrammeStatistics(**row)
