"""`passage bench audit`: appending, sealing, verifying and replaying in one run, each a ratio with its parts.

The log that is verified and replayed is made in memory and copied in; every one of its cases is whole and encrypted.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.log.sealing import MAX_LAG
from bench.append import CASES
from bench.audit.appends import measure_appends
from bench.audit.reading import Reading, measure_reading, peak_bytes
from bench.audit.sealing import Lag, Sealed, measure_lag, seal_all
from bench.made_log import make_log
from bench.ratio import Ratio
from eventstore.postgres.migrate import migrate
from stack.postgres.server import EmbeddedPostgres


@dataclass(frozen=True, slots=True)
class Audit:
    """What was measured."""

    events: int
    """Of the log that was verified and replayed."""
    appends: tuple[Ratio, ...]
    readings: tuple[Reading, ...]
    sealed: Sealed
    lag: Lag
    verify_peak_bytes: int
    """Of Python's memory in one verification."""

    @property
    def is_met(self) -> bool:
        """Whether the budgets hold."""
        held = [*(each.is_met for each in self.appends), *(each.is_met for each in self.readings), self.lag.is_met]
        return all(held)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": "audit",
            "met": self.is_met,
            "events": self.events,
            "appends": [each.as_dict() for each in self.appends],
            "readings": [each.as_dict() for each in self.readings],
            "sealed": {"leaves_s": round(self.sealed.leaves_s), "wal_bytes": round(self.sealed.wal_bytes)},
            "lag": {
                "windows_s": [round(each, 3) for each in self.lag.windows_s],
                "published_s": MAX_LAG.total_seconds(),
                "met": self.lag.is_met,
            },
            "verify_peak_bytes": self.verify_peak_bytes,
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        for pairs in self.appends:
            least = f"  (at least {pairs.at_least:.2f}){_mark(met=pairs.is_met)}" if pairs.at_least else ""
            yield f"{pairs.name}, {pairs.unit} (ours / theirs)"
            yield f"  {_parts(pairs.pairs)}"
            yield f"  median ratio {pairs.ratio:.3f}{least}"
        yield f"a log of {self.events:,} events: events/s a core (ours / plainly reading the rows)"
        for each in self.readings:
            yield f"{each.name}"
            yield f"  {_parts(each.a_core)}"
            yield (
                f"  median {each.rate:,.0f}  (at least {each.at_least:,}){_mark(met=each.is_met)};"
                f" ratio to reading {each.ratio:.3f}; by the clock {sorted(each.wall)[len(each.wall) // 2]:,.0f}"
            )
        yield f"sealed           {self.sealed.leaves_s:,.0f} leaves/s, {self.sealed.wal_bytes:.0f} bytes of WAL each"
        windows = "  ".join(f"{each:.2f}" for each in self.lag.windows_s)
        yield (
            f"longest seal lag {windows} s, median {self.lag.median_s:.2f}: {self.lag.ratio:.3f} of what is published"
            f" ({MAX_LAG.total_seconds():.0f} s){_mark(met=self.lag.is_met)}"
        )
        yield f"peak memory      {self.verify_peak_bytes / 1e6:.1f} MB of Python's objects in one verification"


async def measure(cases: int = 9_000, pairs: int = 5, seconds: float = 2.0, growing: int = CASES) -> Audit:
    """Run on an embedded server of its own, fsync on; about three minutes. `growing` cases are appended to."""
    with tempfile.TemporaryDirectory(prefix="passage-bench-") as folder:
        keys = Path(folder) / "keys"
        async with EmbeddedPostgres(Path(folder) / "postgres") as server:
            urls = {name: await server.ensure_database(name) for name in ("made", "appends", "live")}
            for url in urls.values():
                await migrate(url)
            appends = await measure_appends(urls["appends"], keys / "appends", pairs, seconds, growing)
            events = await make_log(urls["made"], cases)
            sealed = await seal_all(urls["made"], keys / "made")
            return Audit(
                events=events,
                appends=appends,
                readings=await measure_reading(urls["made"], keys / "made", events, pairs),
                sealed=sealed,
                lag=await measure_lag(urls["live"], keys / "live", pairs, 2 * seconds),
                verify_peak_bytes=await peak_bytes(urls["made"], keys / "made"),
            )


def _parts(pairs: tuple[tuple[float, float], ...]) -> str:
    return "  ".join(f"{ours:,.0f}/{theirs:,.0f}" for ours, theirs in pairs)


def _mark(*, met: bool) -> str:
    return "" if met else "  NOT MET"
