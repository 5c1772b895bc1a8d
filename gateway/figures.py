"""The programme's figures, counted where the cap is kept."""

from dataclasses import dataclass
from typing import Literal

import asyncpg

from eventstore.postgres.statistics import PostgresStatistics


@dataclass(frozen=True, slots=True)
class ProgrammeFigures:
    """A programme at one moment."""

    status: Literal["open", "suspended", "terminated"]
    rules_version: str
    places: int
    cap_period: Literal["total", "month"]
    authorized: int
    """Places taken and not freed; under a monthly cap those of the current month."""
    waiting: int
    """Cases ready to be authorized for which there is no place yet."""


class PostgresFigures:
    """`ReadFigures` over the event store's database."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._statistics = PostgresStatistics(pool)

    async def __call__(self, programme: str, month: str) -> ProgrammeFigures | None:
        """The figures of `programme` in `month`, of one moment; None where it was never opened.

        Raises:
            StoreUnavailable: to be retried.
        """
        found = await self._statistics.programme(programme, month)
        if found is None:
            return None
        pool = found.pools[0]
        return ProgrammeFigures(
            found.status, found.rules_version, pool.places, pool.period, found.authorized, found.waiting
        )
