"""`python -m tests.equivalence`: does the domain of this checkout decide what that of an older commit decided?

Ends with 0 if it does in every sequence, with 1 if not; then the first sequences that differ are printed, shortened.
"""

import argparse
import sys
import time

from tests.equivalence.driver import Driver
from tests.equivalence.report import coverage_lines, lines_of
from tests.equivalence.sides import COMMIT, both_sides, commit_is_here

_SHOWN = 3
"""Of the sequences that differ."""


def say(line: str) -> None:
    """A line for whoever watches, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.equivalence", description=__doc__)
    parser.add_argument("--sequences", type=int, default=20_000, help="how many are played (20000)")
    parser.add_argument("--seed", type=int, default=1, help="the same one repeats the sequences (1)")
    parser.add_argument("--only", type=int, help="play the sequence of this number alone")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    if not commit_is_here():
        say(f"the git history here does not hold {COMMIT}; fetch it whole (git fetch --unshallow)")
        return 2
    indices = range(given.sequences) if given.only is None else range(given.only, given.only + 1)
    began, found = time.monotonic(), 0
    with both_sides() as (old, new, codes):
        driver = Driver(old, new)
        for parted in driver.play(given.seed, indices):
            found += 1
            if found <= _SHOWN:
                for line in lines_of(driver.shortest(parted)):
                    say(line)
        for line in coverage_lines(driver.coverage, {**old.known, "code": sorted(codes)}):
            say(line)
    took = time.monotonic() - began
    requests = driver.coverage.requests
    say(f"{len(indices)} sequences, {requests} requests, {took:.0f} s; {found} differ (seed {given.seed})")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
