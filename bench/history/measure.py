"""`passage bench history`: the latency of an append in a log of ten million events against one of ten thousand.

Two databases of one server, fsync on; one append in each, in turn, of two events to a case drawn at random: the large
log's pages are as cold as its size makes them. The command is looked for among all events of its case, as a deadline's.
"""

import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any, Final

from bench.append import GrowingCase
from bench.history.log import make_history
from eventstore.keys import CaseKey
from eventstore.postgres.migrate import migrate
from eventstore.postgres.store import PostgresStore
from stack.postgres.server import EmbeddedPostgres

AT_MOST: Final = 1.2
FEW: Final = 10_000
MANY: Final = 10_000_000
_WARM_UP: Final = 50


@dataclass(frozen=True, slots=True)
class Latency:
    """Of some appends, in milliseconds."""

    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class History:
    """What was measured: `pairs` are of the large log and the small one."""

    many: int
    few: int
    appends: int
    """On each side of a pair."""
    built_s: float
    pairs: tuple[tuple[Latency, Latency], ...]

    @property
    def ratio(self) -> float:
        """The median over the pairs of the large log's median latency to the small one's."""
        return median(large.p50_ms / small.p50_ms for large, small in self.pairs)

    @property
    def ratio_p99(self) -> float:
        """The same of the 99th percentile, which has no budget."""
        return median(large.p99_ms / small.p99_ms for large, small in self.pairs)

    @property
    def is_met(self) -> bool:
        """Whether the budget holds."""
        return self.ratio <= AT_MOST

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": "history",
            "met": self.is_met,
            "events": [self.many, self.few],
            "appends": self.appends,
            "built_s": round(self.built_s, 1),
            "ratio": round(self.ratio, 3),
            "at_most": AT_MOST,
            "ratio_p99": round(self.ratio_p99, 3),
            "p50_ms": [[round(large.p50_ms, 3), round(small.p50_ms, 3)] for large, small in self.pairs],
            "p99_ms": [[round(large.p99_ms, 3), round(small.p99_ms, 3)] for large, small in self.pairs],
        }

    def lines(self) -> list[str]:
        """For people."""
        mark = "" if self.is_met else "  NOT MET"
        return [
            f"append latency with {self.many:,} events / with {self.few:,}: {len(self.pairs)} pairs of {self.appends}",
            *(
                f"  median {large.p50_ms:6.2f} / {small.p50_ms:6.2f} ms = {large.p50_ms / small.p50_ms:.3f};"
                f"  99th percentile {large.p99_ms:6.2f} / {small.p99_ms:6.2f} ms"
                for large, small in self.pairs
            ),
            f"built in {self.built_s:.0f} s",
            f"median ratio {self.ratio:.3f}  (at most {AT_MOST}){mark}; of the 99th percentiles {self.ratio_p99:.3f}",
        ]


class _Keys:
    """A key for every case, at once: what a key store takes is no matter of the log's length."""

    async def create(self, case_id: str) -> CaseKey:
        return CaseKey(case_id, bytes(32))

    async def get(self, key_id: str) -> CaseKey:
        return CaseKey(key_id, bytes(32))

    async def destroy(self, key_id: str) -> None:
        raise NotImplementedError(key_id)

    async def pepper(self) -> bytes:
        return bytes(32)


class _Log:
    """One of the two logs, and the cases of it that are appended to."""

    def __init__(self, store: PostgresStore, ids: Sequence[str], version: int, last_hash: bytes, seed: int) -> None:
        self._store, self._ids, self._version, self._hash = store, ids, version, last_hash
        self._random = Random(seed)  # noqa: S311  which cases are drawn is no secret
        self._grown: dict[str, GrowingCase] = {}

    async def append(self) -> float:
        """Milliseconds of one append to a case drawn at random."""
        drawn = self._ids[self._random.randrange(len(self._ids))]
        case = self._grown.setdefault(drawn, GrowingCase(self._store, drawn, self._version, self._hash))
        began = time.perf_counter()
        await case.append()
        return (time.perf_counter() - began) * 1000


async def measure(many: int = MANY, few: int = FEW, pairs: int = 5, appends: int = 400) -> History:
    """Build both logs on an embedded server of its own and measure; some 1.3 GB of disk and half a minute a million."""
    with tempfile.TemporaryDirectory(prefix="passage-bench-") as folder:
        async with EmbeddedPostgres(Path(folder) / "postgres") as server:
            began = time.perf_counter()
            async with (
                _built(await server.ensure_database("many"), many) as large,
                _built(await server.ensure_database("few"), few) as small,
            ):
                built_s = time.perf_counter() - began
                for _ in range(_WARM_UP):
                    await large.append()
                    await small.append()
                found = [await _pair(large, small, appends) for _ in range(pairs)]
                return History(many, few, appends, built_s, tuple(found))


@contextlib.asynccontextmanager
async def _built(url: str, events: int) -> AsyncIterator[_Log]:
    await migrate(url)
    made = await make_history(url, events)
    store = await PostgresStore.connect(url, _Keys(), connections=1)
    try:
        yield _Log(store, made.cases, made.version, made.hash, events)
    finally:
        await store.close()


async def _pair(large: _Log, small: _Log, appends: int) -> tuple[Latency, Latency]:
    of_large, of_small = [], []
    for _ in range(appends):
        of_large.append(await large.append())
        of_small.append(await small.append())
    return _latency(of_large), _latency(of_small)


def _latency(found: list[float]) -> Latency:
    return Latency(median(found), quantiles(found, n=100)[98])
