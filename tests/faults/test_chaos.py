"""The short form of `make chaos`: a few cases and faults, always the same: a full disk, a clock step, lost sessions."""

from pathlib import Path

import pytest

from tests.chaos.__main__ import say
from tests.chaos.run import run, schedule_of

SEED = 797
CASES = 12
FAULTS = 6


@pytest.mark.slow
async def test_every_promise_is_kept(home: Path) -> None:
    broken = await run(schedule_of(SEED, CASES, FAULTS), home, say)
    assert {promise: faults for promise, faults in broken.items() if faults} == {}
