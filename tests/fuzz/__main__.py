"""`python -m tests.fuzz`: schemathesis with every check against a whole stack, until so many requests were answered."""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from tests.fuzz.passes import Counts, Target, as_line, fuzzed_stack, in_turn

PASSES_MAX: Final = 400
EXAMPLES: Final = 100


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  what the program is for


def main() -> int:
    """Exit code 1 if a check failed; what failed is printed, with a request that shows it again."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000, help="answered by the gateway, at least")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="drawn for each operation in each pass")
    asked = parser.parse_args()
    _say(f"seed {asked.seed}")
    with tempfile.TemporaryDirectory(prefix="passage-fuzz-") as home, fuzzed_stack(Path(home) / "home") as target:
        return 0 if _fuzz(target, asked.seed, asked.requests, asked.examples) else 1


def _fuzz(target: Target, seed: int, wanted: int, examples: int) -> bool:
    totals: dict[bool, Counts] = {True: Counter(), False: Counter()}
    sound = True
    for this, _ in zip(in_turn(seed, examples), range(PASSES_MAX), strict=False):
        before = target.requests(signed=this.signed)
        done = target.run(this)
        totals[this.signed] += target.requests(signed=this.signed) - before
        if done.returncode != 0:
            sound = False
            _say(done.stdout + done.stderr)
        answered = sum(counts.total() for counts in totals.values())
        _say(f"{answered:>7} requests, {'signed' if this.signed else 'unsigned'}, seed {this.seed}")
        if answered >= wanted:
            break
    _say(f"signed   {totals[True].total():>7}  {as_line(totals[True])}")
    _say(f"unsigned {totals[False].total():>7}  {as_line(totals[False])}")
    _say("no check failed" if sound else "a check failed")
    return sound


if __name__ == "__main__":
    sys.exit(main())
