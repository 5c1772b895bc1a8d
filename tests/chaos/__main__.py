"""`make chaos`: cases live while everything that can break breaks, at moments drawn from a seed.

Ends with 0 if every promise was kept, with 1 if one was broken; then the folder with the logs is kept.
"""

import argparse
import asyncio
import logging
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.chaos.run import run, schedule_of
from tests.chaos.schedule import Schedule

_SHOWN = 5
"""Of what broke a promise."""


def say(line: str) -> None:
    """A line for whoever watches, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(prog="make chaos ARGS=…", description=__doc__)
    parser.add_argument("--cases", type=int, default=100, help="how many are filed (100)")
    parser.add_argument("--faults", type=int, default=20, help="how many there are, one after the other (20)")
    parser.add_argument("--seed", type=int, help="the same one repeats the schedule (drawn)")
    return parser.parse_args()


async def interruptible(plan: Schedule, home: Path) -> Mapping[str, list[str]]:
    """The run; SIGTERM ends it as Ctrl-C does, with nothing left behind."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await run(plan, home, say)


def tell(broken: Mapping[str, list[str]]) -> None:
    """Each promise, and whether it was kept."""
    for promise, faults in broken.items():
        say(f"{'BROKEN' if faults else 'kept  '}  {promise}{f': {len(faults)}' if faults else ''}")
        for fault in faults[:_SHOWN]:
            say(f"          {fault}")


def main() -> int:
    given = arguments()
    plan = schedule_of(secrets.randbelow(2**31) if given.seed is None else given.seed, given.cases, given.faults)
    home = Path(tempfile.mkdtemp(prefix="passage chaos "))
    logging.basicConfig(filename=home / "chaos.log")  # what libraries say of connections that break, as they must
    try:
        broken = asyncio.run(interruptible(plan, home))
    except (KeyboardInterrupt, asyncio.CancelledError):
        shutil.rmtree(home, ignore_errors=True)
        say("interrupted")
        return 130
    tell(broken)
    if any(broken.values()):
        say(f"what was logged is in {home}")
        return 1
    shutil.rmtree(home, ignore_errors=True)
    say(f"every promise was kept (seed {plan.seed})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
