"""`passage bench memory`: the memory of a verification of a million events against that of a tenth of them.

Each runs in a process of its own, as `passage audit verify` does; its peak is the system's count of resident memory.
"""

import asyncio
import json
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.audit.reading import verified
from bench.audit.sealing import seal_all
from bench.made_log import EVENTS_A_CASE, make_log
from eventstore.postgres.migrate import migrate
from stack.postgres.server import EmbeddedPostgres

MANY: Final = 1_000_000
_TENTH: Final = 10
GROWTH_AT_MOST: Final = 1.1
"""What a tenth more allows is the allocator's; ten bytes an event kept would be more."""
_LONGEST_S: Final = 1800.0


@dataclass(frozen=True, slots=True)
class Peak:
    """One verification."""

    events: int
    resident_mb: float
    took_s: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Both."""

    few: Peak
    many: Peak

    @property
    def ratio(self) -> float:
        """Of the peaks, the long log's to the short one's."""
        return self.many.resident_mb / self.few.resident_mb

    @property
    def is_met(self) -> bool:
        """Whether memory does not grow with the log."""
        return self.ratio <= GROWTH_AT_MOST

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": "memory",
            "met": self.is_met,
            "events": [self.many.events, self.few.events],
            "resident_mb": [round(self.many.resident_mb, 1), round(self.few.resident_mb, 1)],
            "took_s": [round(self.many.took_s, 1), round(self.few.took_s, 1)],
            "ratio": round(self.ratio, 3),
            "at_most": GROWTH_AT_MOST,
        }

    def lines(self) -> list[str]:
        """For people."""
        mark = "" if self.is_met else "  NOT MET"
        return [
            *(f"{each.events:>11,} events verified in {each.took_s:7.1f} s, peak {each.resident_mb:.1f} MB resident"
              for each in (self.few, self.many)),
            f"ratio {self.ratio:.3f}  (at most {GROWTH_AT_MOST}){mark}",
        ]  # fmt: skip


async def measure(many: int = MANY) -> Memory:
    """Make, seal and verify both on an embedded server of its own; 2 GB of disk and some minutes a million."""
    with tempfile.TemporaryDirectory(prefix="passage-bench-") as folder:
        async with EmbeddedPostgres(Path(folder) / "postgres") as server:
            found = []
            for name, events in (("few", many // _TENTH), ("many", many)):
                url, keys = await server.ensure_database(name), Path(folder) / name
                await migrate(url)
                made = await make_log(url, -(-events // EVENTS_A_CASE))
                await seal_all(url, keys)
                found.append(await _peak(url, keys, made))
            return Memory(*found)


async def _peak(url: str, keys: Path, events: int) -> Peak:
    """In a process of its own; the address holds a password, so it goes by the pipe."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    asked = json.dumps({"url": url, "keys": str(keys)}).encode()
    try:
        said, _ = await asyncio.wait_for(process.communicate(asked), _LONGEST_S)
    except TimeoutError:
        process.kill()
        raise
    if process.returncode:
        raise RuntimeError("the verification failed")
    return Peak(events, **json.loads(said))


def _verify_here() -> None:
    asked = json.load(sys.stdin)
    began = time.perf_counter()
    asyncio.run(verified(asked["url"], Path(asked["keys"]), refold=True))
    took_s = time.perf_counter() - began
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    json.dump({"resident_mb": kilobytes / 1000, "took_s": took_s}, sys.stdout)


if __name__ == "__main__":
    _verify_here()
