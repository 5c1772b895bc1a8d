"""`passage bench cache`: what a workflow costs that waits in the worker's memory, and how soon one wakes that does not.

Memory is what a worker's resident set grows by, a case, against the bare workflow's worker, in alternated pairs. A
wake-up is the time from sending a message to a case until what it did is in the record: intake, relay, signal, history,
replay and activity. The worker keeps so few cases that each one that is woken had been evicted.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg
import psutil

from bench.floor.measure import bare_side, real_side
from bench.floor.sides import Side
from process.config import Settings, load_settings
from stack.embedded import EmbeddedStack
from worker import CACHED_CASES_MAX

MEMORY_AT_MOST: Final = 1.3
WAKE_P95_AT_MOST_MS: Final = 250.0
WOKEN: Final = 60
_KEPT: Final = 4
"""Cases in the memory of the worker that evicts: far fewer than are woken."""
_WARM_UP: Final = 40
"""Cases of each side before the first pair: what a worker loads and fills once is no case's."""
_LOOK_S: Final = 0.002
_WAKE_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Cache:
    """What was measured."""

    memory: tuple[tuple[float, float], ...]
    """Bytes a cached case, (ours, theirs), a pair."""
    woken_ms: tuple[float, ...]
    """Each wake-up, shortest first."""

    @property
    def memory_ratio(self) -> float:
        """The median over the pairs of ours to theirs."""
        return median(ours / theirs for ours, theirs in self.memory)

    @property
    def wake_p95_ms(self) -> float:
        """So long or shorter are 95 of 100 wake-ups."""
        return self.woken_ms[-(-len(self.woken_ms) * 95 // 100) - 1]

    @property
    def is_met(self) -> bool:
        """Whether both budgets hold."""
        return self.memory_ratio <= MEMORY_AT_MOST and self.wake_p95_ms <= WAKE_P95_AT_MOST_MS

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": "cache",
            "met": self.is_met,
            "memory_kb": {
                "ours": [round(ours / 1000, 1) for ours, _ in self.memory],
                "theirs": [round(theirs / 1000, 1) for _, theirs in self.memory],
                "ratio": round(self.memory_ratio, 3),
                "at_most": MEMORY_AT_MOST,
            },
            "wake_ms": {
                "woken": len(self.woken_ms),
                "median": round(median(self.woken_ms), 1),
                "p95": round(self.wake_p95_ms, 1),
                "at_most": WAKE_P95_AT_MOST_MS,
            },
        }

    def lines(self) -> list[str]:
        """For people."""
        much = "" if self.memory_ratio <= MEMORY_AT_MOST else "  NOT MET"
        late = "" if self.wake_p95_ms <= WAKE_P95_AT_MOST_MS else "  NOT MET"
        return [
            f"memory a cached case (ours / the bare workflow's), {len(self.memory)} alternated pairs",
            *(f"  {mine / 1000:8.1f} / {bare / 1000:8.1f} kB = {mine / bare:.3f}" for mine, bare in self.memory),
            f"Median ratio     {self.memory_ratio:.3f}  (at most {MEMORY_AT_MOST}){much}",
            f"Wake-ups, evicted {len(self.woken_ms)}, {median(self.woken_ms):.0f} ms in the median",
            f"95th percentile  {self.wake_p95_ms:.0f} ms  (at most {WAKE_P95_AT_MOST_MS:.0f} ms){late}",
        ]


async def measure(pairs: int = 5, cases: int = 100, woken: int = WOKEN) -> Cache:
    """Two stacks, one after the other. Raises StackError, or TimeoutError for a case that does not get on."""
    return Cache(await _memory(pairs, cases), await _wake_ups(woken))


@asynccontextmanager
async def _stack(**changes: Any) -> AsyncIterator[tuple[Settings, EmbeddedStack]]:
    with tempfile.TemporaryDirectory(prefix="passage-cache-", ignore_cleanup_errors=True) as folder:
        settings = load_settings(data_dir=Path(folder), from_running_stack=False).model_copy(update=changes)
        async with EmbeddedStack(settings, simulators=True) as stack:
            yield settings, stack


async def _memory(pairs: int, cases: int) -> tuple[tuple[float, float], ...]:
    # All cases of the run are to stay: what is measured is a cached one.
    cases = min(cases, (CACHED_CASES_MAX - _WARM_UP) // pairs)
    async with _stack() as (settings, stack), AsyncExitStack() as sides:
        bare = await sides.enter_async_context(bare_side(settings, stack.state))
        real = await sides.enter_async_context(real_side(stack.state))
        for side in (real, bare):
            await side.run(min(cases, _WARM_UP))
        found = []
        for number in range(pairs):
            order = (real, bare) if number % 2 == 0 else (bare, real)
            grown = {id(side): await _growth(side, cases) for side in order}
            found.append((grown[id(real)], grown[id(bare)]))
        return tuple(found)


async def _growth(side: Side, cases: int) -> float:
    worker = psutil.Process(side.worker_pid)
    before = worker.memory_info().rss
    await side.run(cases)
    return max(float(worker.memory_info().rss - before), 1.0) / cases


async def _wake_ups(woken: int) -> tuple[float, ...]:
    async with (
        _stack(cached_cases_max=_KEPT) as (_, stack),
        real_side(stack.state) as real,
        asyncpg.create_pool(stack.state.database_url, min_size=1, max_size=1) as pool,
    ):
        brought = await real.run(woken, to="arrival.paroled")
        return tuple(sorted([await _wake(real, pool, case_id) for case_id in brought.case_ids]))


async def _wake(side: Side, pool: "asyncpg.Pool[asyncpg.Record]", case_id: str) -> float:
    began = time.perf_counter()
    await side.send(case_id, "arrival.paroled")
    async with asyncio.timeout(_WAKE_TIMEOUT_S):
        while not await pool.fetchval(  # noqa: ASYNC110  a database tells nobody
            "SELECT waiting_on = 'parole_end' FROM passage.case_head WHERE case_id = $1", case_id
        ):
            await asyncio.sleep(_LOOK_S)
    return (time.perf_counter() - began) * 1000
