"""`passage bench audit`: how fast a log is sealed, verified and replayed, and what that costs.

Rates are events a second of one core: the CPU time of this process, which does the work; Postgres reads beside it. The
wall-clock rate is told too. The log is made in memory and copied in; every one of its cases is whole and encrypted.
"""

import asyncio
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg

from audit.log_key import FileLogKey
from audit.sealer import opened_sealer
from audit.verify import Scope, verify
from bench.append import open_cases
from bench.made_log import make_log
from eventstore.envelope import EVENT_COLUMNS, Envelope
from eventstore.keys import CaseKey, DirectoryKeyStore
from eventstore.migrate import migrate
from eventstore.postgres import PostgresStore
from eventstore.wrapping import unwrap
from stack.postgres import EmbeddedPostgres

_ORIGIN: Final = "passage/bench"
BYTES_AT_LEAST: Final = 100_000
REFOLD_AT_LEAST: Final = 40_000
REPLAY_AT_LEAST: Final = 60_000
_LAG_SECONDS: Final = 5.0
_STREAMS: Final = f"SELECT {EVENT_COLUMNS} FROM passage.events ORDER BY stream, version"  # noqa: S608  constants


@dataclass(frozen=True, slots=True)
class Rate:
    """Events a second, in the median of the runs."""

    a_core: float
    wall: float


@dataclass(frozen=True, slots=True)
class Audit:
    """What was measured."""

    events: int
    sealed: float
    """Leaves a second, tiles and index included."""
    bytes_chain_tree: Rate
    columns_refold: Rate
    replay: Rate
    verify_peak_bytes: int
    """Of Python's memory in one verification."""
    wal_append: float
    wal_seal: float
    """Bytes of WAL an event, appended and sealed."""
    longest_lag_s: float
    """Of an event from its record to a signed checkpoint, while appends go on."""

    @property
    def is_met(self) -> bool:
        """Whether the budgets hold."""
        return all(rate.a_core >= at_least for _, rate, at_least in self.budgets)

    @property
    def budgets(self) -> tuple[tuple[str, Rate, int], ...]:
        """What is measured against a budget (design.md, "Budgets"), and how many events a second of a core it wants."""
        return (
            ("verify: bytes, chain, tree", self.bytes_chain_tree, BYTES_AT_LEAST),
            ("verify: columns and re-fold", self.columns_refold, REFOLD_AT_LEAST),
            ("replay", self.replay, REPLAY_AT_LEAST),
        )

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"name": "audit", "met": self.is_met, **asdict(self)}


async def measure(cases: int = 9_000, runs: int = 5) -> Audit:
    """Run on an embedded server of its own."""
    with tempfile.TemporaryDirectory(prefix="passage-bench-") as folder:
        async with EmbeddedPostgres(Path(folder) / "postgres") as server:
            made = await server.ensure_database("made")
            await migrate(made)
            events = await make_log(made, cases)
            keys = Path(folder) / "keys"
            sealed = await _seal(made, keys)
            alternated = [await _verify_both(made, keys, events) for _ in range(runs)]
            live = await server.ensure_database("live")
            await migrate(live)
            wal_append, wal_seal, lag_s = await _live(live, Path(folder) / "live-keys")
            return Audit(
                events=events,
                sealed=events / sealed,
                bytes_chain_tree=_median([each[0] for each in alternated]),
                columns_refold=_median([each[1] for each in alternated]),
                replay=_median([each[2] for each in alternated]),
                verify_peak_bytes=await _peak(made, keys),
                wal_append=wal_append,
                wal_seal=wal_seal,
                longest_lag_s=lag_s,
            )


async def _seal(url: str, keys: Path) -> float:
    async with opened_sealer(url, keys, _ORIGIN) as sealer:
        began = time.perf_counter()
        while await sealer.seal():
            pass
        took = time.perf_counter() - began
        await sealer.seal_map()
        await sealer.sign()
    connection = await asyncpg.connect(url)
    await connection.execute("VACUUM (ANALYZE)")
    await connection.close()
    return took


async def _verify_both(url: str, keys: Path, events: int) -> tuple[Rate, Rate, Rate]:
    return (
        await _rate(events, lambda: _verify(url, keys, refold=False)),
        await _rate(events, lambda: _verify(url, keys, refold=True)),
        await _rate(events, lambda: _replay(url)),
    )


async def _rate(events: int, work: Callable[[], Awaitable[None]]) -> Rate:
    cpu, wall = time.process_time(), time.perf_counter()
    await work()
    return Rate(events / (time.process_time() - cpu), events / (time.perf_counter() - wall))


def _median(rates: list[Rate]) -> Rate:
    return Rate(median(each.a_core for each in rates), median(each.wall for each in rates))


async def _verify(url: str, keys: Path, *, refold: bool) -> None:
    faults: list[str] = []
    scope = Scope(verifier=FileLogKey(keys, _ORIGIN).verifier, refold=refold)
    await verify(url, scope, lambda fault: faults.append(fault.line))
    if faults:
        raise RuntimeError(f"the benchmark's own log does not verify: {faults[0]}")


async def _replay(url: str) -> None:
    """Every stream read, decrypted, decoded and validated: what `EventStore.load` does, without asking for each."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(readonly=True):
            await connection.execute("SET LOCAL enable_sort = off")
            cursor = await connection.cursor(_STREAMS)
            held: list[Envelope] = []
            while records := await cursor.fetch(1000):
                for record in records:
                    row = Envelope._make(record)
                    if held and held[0].stream != row.stream:
                        unwrap(held, {held[0].stream: CaseKey(held[0].stream, bytes(32))})
                        held = []
                    held.append(row)
    finally:
        await connection.close()


async def _peak(url: str, keys: Path) -> int:
    tracemalloc.start()
    try:
        await _verify(url, keys, refold=True)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def _live(url: str, keys: Path) -> tuple[float, float, float]:
    """Appends as they come, a sealer beside them: bytes of WAL an event, and the longest lag."""
    store = await PostgresStore.connect(url, DirectoryKeyStore(keys))
    connection = await asyncpg.connect(url)
    try:
        cases = await open_cases(store, 200)
        before = await connection.fetchval("SELECT pg_current_wal_insert_lsn()")
        for case in cases:
            await case.append()
        appended = await _wal_since(connection, before)
        async with opened_sealer(url, keys, _ORIGIN) as sealer:
            before, leaves = await connection.fetchval("SELECT pg_current_wal_insert_lsn()"), 0
            while taken := await sealer.seal():
                leaves += taken
            sealed = await _wal_since(connection, before)
            await sealer.sign()
            sealer.longest_lag *= 0  # what waited for this benchmark to begin is no lag
            end = time.perf_counter() + _LAG_SECONDS
            while time.perf_counter() < end:
                await asyncio.gather(*(case.append() for case in cases[:16]))
                await sealer.seal()
                await asyncio.sleep(0.5)
                await sealer.sign()
            return appended / (2 * len(cases)), sealed / leaves, sealer.longest_lag.total_seconds()
    finally:
        await connection.close()
        await store.close()


async def _wal_since(connection: asyncpg.Connection, before: Any) -> float:
    return float(await connection.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1::pg_lsn)", before))
