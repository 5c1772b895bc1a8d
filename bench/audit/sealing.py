"""How fast a log is sealed, what a leaf costs in WAL, and how long an event waits for its signed checkpoint."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg

from audit.log.sealer import Sealing, opened_sealer
from audit.log.sealing import MAX_LAG
from bench.append import open_cases
from bench.audit.reading import ORIGIN
from eventstore.keys import DirectoryKeyStore
from eventstore.postgres.store import PostgresStore

_WAL: Final = "SELECT pg_current_wal_insert_lsn()"
_AT_ONCE: Final = 16
_PAUSE_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Sealed:
    """Of a log that was sealed in one go."""

    leaves_s: float
    """Leaves a second, tiles and index included."""
    wal_bytes: float
    """Of WAL a leaf."""


@dataclass(frozen=True, slots=True)
class Lag:
    """The longest that an event waited, from its record to a signed checkpoint, in each of some windows."""

    windows_s: tuple[float, ...]

    @property
    def median_s(self) -> float:
        """Over the windows."""
        return median(self.windows_s)

    @property
    def ratio(self) -> float:
        """To the lag that is published."""
        return self.median_s / MAX_LAG.total_seconds()

    @property
    def is_met(self) -> bool:
        """Whether no event waited longer than is published."""
        return max(self.windows_s) <= MAX_LAG.total_seconds()


async def seal_all(url: str, keys: Path) -> Sealed:
    """Seal, map and sign all that waits."""
    connection: Any = await asyncpg.connect(url)
    try:
        async with opened_sealer(url, keys, ORIGIN) as sealer:
            before, began, leaves = await connection.fetchval(_WAL), time.perf_counter(), 0
            while taken := await sealer.seal():
                leaves += taken
            took = time.perf_counter() - began
            wal = await connection.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1)::float8", before)
            await sealer.seal_map()
            await sealer.sign()
        await connection.execute("VACUUM (ANALYZE)")
        return Sealed(leaves / took, wal / leaves)
    finally:
        await connection.close()


async def measure_lag(url: str, keys: Path, windows: int, seconds: float) -> Lag:
    """Append as cases come, a sealer with its ordinary rhythm beside that; a migrated database without events."""
    store = await PostgresStore.connect(url, DirectoryKeyStore(keys))
    try:
        cases = await open_cases(store, 10 * _AT_ONCE)
        async with opened_sealer(url, keys, ORIGIN) as sealer, _running(Sealing(sealer)):
            await asyncio.sleep(seconds)  # what waited for the sealer to begin is no lag
            found = []
            for _ in range(windows):
                sealer.longest_lag *= 0
                end = time.perf_counter() + seconds
                while time.perf_counter() < end or not sealer.longest_lag:  # without a checkpoint there is no lag yet
                    await asyncio.gather(*(case.append() for case in cases[:_AT_ONCE]))
                    cases = cases[_AT_ONCE:] + cases[:_AT_ONCE]
                    await asyncio.sleep(_PAUSE_S)
                found.append(sealer.longest_lag.total_seconds())
        return Lag(tuple(found))
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def _running(sealing: Sealing) -> AsyncIterator[None]:
    stopped = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sealing.run(stopped))
        try:
            yield
        finally:
            stopped.set()
