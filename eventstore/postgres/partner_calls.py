"""Partners as such over Postgres; the functions are in `sql/partner_calls.sql`."""

import math
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from domain.kernel.ids import Code
from eventstore.partner_calls import Admitted, CircuitTerms, Heard, PartnerStanding, Paused, Unanswered
from eventstore.postgres.session import Statement, call, translated

REMEMBERED_S: Final = 1.0
"""How long a process goes by what it read of all partners. While they answer, a call so costs no round trip; when one
stops, a process sends it the calls of a second too many."""

_FAILING: Final = """
SELECT partner, failing_since, paused_until, greatest(0, extract(epoch FROM paused_until - now()))::float8 AS wait_s
FROM passage.partner_circuit
"""
_OF_FAILED: Final = ("partner", "probe", "failures_max", "pause_first", "pause_max")
_OF_CLAIM: Final = ("partner", "accepted_before", "again", "asks_max", "limit")
_ADMIT: Final = Statement("SELECT * FROM passage.admit_call(:partner, :turn)")
_FAILED: Final = Statement(f"SELECT * FROM {call('passage.note_failed_call', _OF_FAILED)}")  # noqa: S608  constants
_TAKEN: Final = Statement("SELECT passage.note_taken_call(:partner)")
_CLAIM: Final = Statement(
    f"SELECT request_id, case_id, asks FROM {call('passage.claim_unanswered', _OF_CLAIM, limit='1')}"  # noqa: S608  constants
)
_NOTE_HEARD: Final = Statement("SELECT passage.note_heard(:request_id, :heard)")

_STANDINGS: Final = Statement("""
SELECT p.partner, coalesce(c.failures, 0), c.failing_since, c.paused_until,
       count(o.request_id) FILTER (WHERE o.accepted_at IS NULL),
       min(o.opened_at) FILTER (WHERE o.accepted_at IS NULL),
       count(o.request_id) FILTER (WHERE o.accepted_at IS NOT NULL),
       count(o.request_id) FILTER (WHERE o.accepted_at < p.accepted_before AND o.heard IS DISTINCT FROM 'answered'),
       count(o.request_id) FILTER (
           WHERE o.accepted_at < p.accepted_before AND o.heard IS DISTINCT FROM 'answered' AND o.asks >= :asks_max
       )
FROM unnest(:partners::text[], :accepted_before::timestamptz[]) WITH ORDINALITY AS p(partner, accepted_before, place)
LEFT JOIN passage.partner_circuit AS c ON c.partner = p.partner
LEFT JOIN passage.outbound_call AS o ON o.partner = p.partner AND o.dropped_at IS NULL
GROUP BY p.place, p.partner, c.failures, c.failing_since, c.paused_until ORDER BY p.place
""")


class PostgresCircuits:
    """`Circuits` over a pool."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", terms: CircuitTerms) -> None:
        self._pool = pool
        self._terms = terms
        self._failing: dict[str, Paused | None] = {}
        self._read_at = -math.inf
        self._heard = 0
        """Grows with each call that came back: what was read before that is older than what is known since."""

    async def pause(self, partner: Code) -> Paused | None:  # noqa: D102  # the port says it
        if time.monotonic() - self._read_at >= REMEMBERED_S:
            heard = self._heard
            with translated():
                rows = await self._pool.fetch(_FAILING)
            if heard == self._heard:
                self._failing = {row["partner"]: _pause(row) for row in rows}
                self._read_at = time.monotonic()
        return self._failing.get(partner)

    async def admit(self, partner: Code) -> Admitted | Paused:  # noqa: D102  # the port says it
        await self.pause(partner)
        if partner not in self._failing:
            return Admitted()
        with translated():
            row = await self._pool.fetchrow(*_ADMIT(partner=partner, turn=self._terms.turn))
        assert row is not None  # noqa: S101  # a function that returns one row
        pause = _pause(row)
        if row["admitted"] or pause is None:
            return Admitted(probe=row["probe"])
        return pause

    async def note_failed(self, partner: Code, *, probe: bool) -> Paused | None:  # noqa: D102  # the port says it
        terms = self._terms
        with translated():
            row = await self._pool.fetchrow(
                *_FAILED(
                    partner=partner, probe=probe, failures_max=terms.failures_max, pause_first=terms.pause_first,
                    pause_max=terms.pause_max,
                )
            )  # fmt: skip
        assert row is not None  # noqa: S101  # a function that returns one row
        self._heard += 1
        self._failing[partner] = _pause(row)
        return self._failing[partner] if row["began"] else None

    async def note_taken(self, partner: Code) -> bool:  # noqa: D102  # the port says it
        if partner not in self._failing:
            return False
        with translated():
            was_paused: bool = await self._pool.fetchval(*_TAKEN(partner=partner))
        self._heard += 1
        self._failing.pop(partner, None)
        return was_paused


def _pause(row: "asyncpg.Record") -> Paused | None:
    return row["paused_until"] and Paused(row["failing_since"], row["paused_until"], row["wait_s"])


class PostgresUnanswered:
    """`UnansweredCalls` and `PartnerStandings` over a pool."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def claim(  # noqa: D102  # the port says it
        self, partner: Code, *, accepted_before: datetime, again_after: timedelta, asks_max: int
    ) -> Unanswered | None:
        with translated():
            row = await self._pool.fetchrow(
                *_CLAIM(partner=partner, accepted_before=accepted_before, again=again_after, asks_max=asks_max)
            )
        return None if row is None else Unanswered(*row)

    async def note_heard(self, request_id: str, heard: Heard) -> None:  # noqa: D102  # the port says it
        with translated():
            await self._pool.execute(*_NOTE_HEARD(request_id=request_id, heard=heard))

    async def standings(  # noqa: D102  # the port says it
        self, accepted_before: Mapping[Code, datetime], asks_max: int
    ) -> tuple[PartnerStanding, ...]:
        with translated():
            rows = await self._pool.fetch(
                *_STANDINGS(
                    partners=list(accepted_before), accepted_before=list(accepted_before.values()), asks_max=asks_max
                )
            )
        return tuple(PartnerStanding(*row) for row in rows)
