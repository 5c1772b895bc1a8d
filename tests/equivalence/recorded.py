"""`python -m tests.equivalence.recorded FOLDER`: every scenario file of a folder through `passage simulate`.

Prints each scenario that does not hold, and a line with the total. Ends with 0 if all hold, with 1 if not.
"""

import argparse
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROCESSES = 2
PROGRAM = Path(sys.executable).parent / "passage"


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _printed(files: list[Path]) -> str:
    return subprocess.run(
        [PROGRAM, "simulate", "--json", *files], check=False, stdout=subprocess.PIPE, text=True
    ).stdout


def run(files: list[Path]) -> dict[str, bool]:
    """By scenario: whether it held. The files are shared out between the processes.

    Raises:
        RuntimeError: a process ended without a result for each of its files.
    """
    shares = [share for number in range(PROCESSES) if (share := files[number::PROCESSES])]
    with ThreadPoolExecutor(PROCESSES) as threads:
        results = [json.loads(line) for printed in threads.map(_printed, shares) for line in printed.splitlines()]
    if len(results) != len(files):
        raise RuntimeError(f"{len(files)} files, and {len(results)} results")
    return {result["scenario"]: result["ok"] for result in results}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.equivalence.recorded", description=__doc__)
    parser.add_argument("folder", type=Path, help="with scenario files (YAML)")
    files = sorted(parser.parse_args().folder.glob("*.yaml"))
    began = time.monotonic()
    held = run(files)
    for scenario in (name for name, ok in held.items() if not ok):
        say(f"differs: {scenario}")
    took = time.monotonic() - began
    say(f"{len(files)} scenarios, {sum(held.values())} hold, {len(held) - sum(held.values())} differ, {took:.0f} s")
    return 0 if files and all(held.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
