"""Verification and replay, as `passage bench audit` shows them, beside plainly reading the same rows.

Rates are events a second of one core: the CPU time of this process, which does the work; Postgres reads beside it.
"""

import time
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg

from audit.log.log_key import FileLogKey
from audit.verify.record import Scope, verify
from eventstore.format.envelope import EVENT_COLUMNS, Envelope
from eventstore.format.wrapping import unwrap
from eventstore.keys import CaseKey

ORIGIN: Final = "passage/bench"
BYTES_AT_LEAST: Final = 100_000
REFOLD_AT_LEAST: Final = 40_000
REPLAY_AT_LEAST: Final = 60_000
_STREAMS: Final = f"SELECT {EVENT_COLUMNS} FROM passage.events ORDER BY stream, version"  # noqa: S608  constants
_ROWS: Final = 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """One way through the log, each run with the plain reading of the same rows that came before it."""

    name: str
    at_least: int
    """Events a second of a core (design.md, "Budgets")."""
    a_core: tuple[tuple[float, float], ...]
    """(ours, plainly read), events a second of a core."""
    wall: tuple[float, ...]
    """Events a second by the clock, with Postgres on another core."""

    @property
    def rate(self) -> float:
        """The median of ours."""
        return median(ours for ours, _ in self.a_core)

    @property
    def ratio(self) -> float:
        """The median of ours to the plain reading."""
        return median(ours / read for ours, read in self.a_core)

    @property
    def is_met(self) -> bool:
        """Whether the budget holds."""
        return self.rate >= self.at_least

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": self.name,
            "events_a_core": round(self.rate),
            "at_least": self.at_least,
            "met": self.is_met,
            "ratio_to_reading": round(self.ratio, 3),
            "ours": [round(ours) for ours, _ in self.a_core],
            "reading": [round(read) for _, read in self.a_core],
            "wall": [round(each) for each in self.wall],
        }


async def measure_reading(url: str, keys: Path, events: int, runs: int) -> tuple[Reading, ...]:
    """Verify, without and with the re-fold, and replay, in turn; the log is sealed, and its key lies in `keys`."""
    ways: tuple[tuple[str, int, Callable[[], Awaitable[None]]], ...] = (
        ("verify: bytes, chain, tree", BYTES_AT_LEAST, lambda: verified(url, keys, refold=False)),
        ("verify: columns and re-fold", REFOLD_AT_LEAST, lambda: verified(url, keys, refold=True)),
        ("replay", REPLAY_AT_LEAST, lambda: _replay(url)),
    )
    cores: list[list[tuple[float, float]]] = [[] for _ in ways]
    walls: list[list[float]] = [[] for _ in ways]
    for _ in range(runs):
        for number, (_, _, way) in enumerate(ways):
            read, _ = await _rate(events, lambda: _read(url))
            ours, wall = await _rate(events, way)
            cores[number].append((ours, read))
            walls[number].append(wall)
    return tuple(
        Reading(name, at_least, tuple(cores[n]), tuple(walls[n])) for n, (name, at_least, _) in enumerate(ways)
    )


async def _rate(events: int, work: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    await work()
    return events / (time.process_time() - cpu), events / (time.perf_counter() - wall)


async def verified(url: str, keys: Path, *, refold: bool) -> None:
    """Verify the benchmark's log. Raises RuntimeError where it is accused."""
    faults: list[str] = []
    scope = Scope(verifier=FileLogKey(keys).verifier, refold=refold)
    await verify(url, scope, lambda fault: faults.append(fault.line))
    if faults:
        raise RuntimeError(f"the benchmark's own log does not verify: {faults[0]}")


async def peak_bytes(url: str, keys: Path) -> int:
    """The most memory that Python's objects took in one verification."""
    tracemalloc.start()
    try:
        await verified(url, keys, refold=True)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def _each(url: str, take: Callable[[list[Any]], None]) -> None:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(readonly=True):
            await connection.execute("SET LOCAL enable_sort = off")
            cursor = await connection.cursor(_STREAMS)
            while records := await cursor.fetch(_ROWS):
                take(records)
    finally:
        await connection.close()


async def _read(url: str) -> None:
    """The floor: every row brought here, and nothing done with it."""
    await _each(url, lambda _: None)


async def _replay(url: str) -> None:
    """Every stream read, decrypted, decoded and validated: what `EventStore.load` does, without asking for each."""
    held: list[Envelope] = []

    def take(records: list[Any]) -> None:
        for row in map(Envelope._make, records):
            if held and held[0].stream != row.stream:
                stream = held[0].stream
                unwrap(held, {stream: CaseKey(stream, bytes(32))})
                held.clear()
            held.append(row)

    await _each(url, take)
    unwrap(held, {held[0].stream: CaseKey(held[0].stream, bytes(32))})
