"""Appends, as `passage bench audit` shows them: against a plain INSERT, against `eventsourcing`, and their WAL."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import asyncpg

from bench.append import AT_LEAST, CONNECTIONS, FLOOR, PlainRow, open_cases, rate
from bench.audit.eventsourcing import Recorder
from bench.ratio import Ratio
from eventstore.keys import DirectoryKeyStore
from eventstore.postgres.store import PostgresStore

NO_BUDGET: Final = 0.0
_WAL_APPENDS: Final = 400
_BODIES: Final = "SELECT avg(length(public_body) + coalesce(length(encrypted_body), 0))::int FROM passage.events"


async def measure_appends(url: str, keys: Path, pairs: int, seconds: float, cases: int) -> tuple[Ratio, ...]:
    """Rates by what they are compared with, and the bytes of WAL an event; in a migrated database without events."""
    store = await PostgresStore.connect(url, DirectoryKeyStore(keys), connections=CONNECTIONS)
    pool = await asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS)
    try:
        growing = await open_cases(store, cases)
        await pool.execute(FLOOR)
        rows = [PlainRow(pool, case.stream) for case in growing]
        event_bytes = await pool.fetchval(_BODIES)
        with (
            Recorder(url, CONNECTIONS, event_bytes, functions=False) as plain,
            Recorder(url, CONNECTIONS, event_bytes, functions=True) as quick,
        ):
            rates = await _alternate(growing, rows, (plain, quick), pairs, seconds)
        return (*rates, await _wal(pool, growing, rows, pairs))
    finally:
        await pool.close()
        await store.close()


async def _alternate(
    cases: list[Any], rows: list[PlainRow], recorders: tuple[Recorder, Recorder], pairs: int, seconds: float
) -> tuple[Ratio, ...]:
    others: tuple[Callable[[float], Awaitable[float]], ...] = (
        lambda s: rate([row.insert for row in rows], s),
        recorders[0].rate,
        recorders[1].rate,
    )
    found: tuple[list[tuple[float, float]], ...] = ([], [], [])
    for measured in (seconds / 3, *[seconds] * pairs):  # the first, shorter round warms up
        for other, to in zip(others, found, strict=True):
            ours = await rate([case.append for case in cases], measured)
            to.append((ours, await other(measured)))
    names = ("append against INSERT", "append against eventsourcing", "append against its functions")
    least = (AT_LEAST, NO_BUDGET, NO_BUDGET)
    return tuple(
        Ratio(name, "appends/s", tuple(each[1:]), at_least)
        for name, each, at_least in zip(names, found, least, strict=True)
    )


async def _wal(pool: Any, cases: list[Any], rows: list[PlainRow], pairs: int) -> Ratio:
    """An event appended, with its head, queue and indexes, against one row of the floor."""
    found, appends = [], min(_WAL_APPENDS, len(cases))
    for number in range(pairs):
        mine = slice(number * appends % len(cases), None)
        before = await pool.fetchval("SELECT pg_current_wal_insert_lsn()")
        for case in (cases[mine] + cases)[:appends]:
            await case.append()
        between = await pool.fetchval("SELECT pg_current_wal_insert_lsn()")
        for row in (rows[mine] + rows)[:appends]:
            await row.insert()
        after = await pool.fetchval("SELECT pg_current_wal_insert_lsn()")
        ours, theirs = await pool.fetchrow(
            "SELECT pg_wal_lsn_diff($2, $1)::float8, pg_wal_lsn_diff($3, $2)::float8", before, between, after
        )
        found.append((ours / (2 * appends), theirs / appends))
    return Ratio("WAL of an event against a row", "bytes", tuple(found), NO_BUDGET)
