"""The short form of `make chaos`: a few cases and a few faults, always the same ones."""

from pathlib import Path

import pytest

from tests.chaos.__main__ import say
from tests.chaos.run import run, schedule_of

SEED = 1
CASES = 12
FAULTS = 6


@pytest.mark.slow
async def test_every_promise_is_kept(home: Path) -> None:
    broken = await run(schedule_of(SEED, CASES, FAULTS), home, say)
    assert {promise: faults for promise, faults in broken.items() if faults} == {}
