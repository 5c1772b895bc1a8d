"""`passage bench floor` and `cache`, short: they run, both sides do as much, and every part is reported."""

import json
from pathlib import Path

import pytest

from bench.cache import measure as measure_cache
from tests.support.stack import run_passage

ARGUMENTS = ("bench", "floor", "--pairs", "1", "--cases", "8", "--json")


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_the_floor_is_measured_with_its_parts(tmp_path: Path) -> None:
    done = run_passage(*ARGUMENTS, cwd=tmp_path)
    assert done.returncode in (0, 1), done.stderr  # whether the budget is met is not for a loaded machine to say
    [line] = done.stdout.splitlines()
    found = json.loads(line)
    assert len(found["ours"]) == len(found["theirs"]) == 1
    assert found["ours"][0] > 0
    assert found["worker_cpu_ms"]["ratio"] > 0
    assert found["history_events"]["a_case"] <= found["history_events"]["at_most"]
    assert found["billable_actions"]["a_case"] <= found["billable_actions"]["at_most"]


@pytest.mark.slow  # two whole stacks, one after the other: what is measured is a worker's memory and its wake-ups
@pytest.mark.timeout(300)
async def test_memory_and_wake_ups_of_cases_are_measured() -> None:
    found = await measure_cache(pairs=1, cases=4, woken=6)
    [(ours, theirs)] = found.memory
    assert ours > 0
    assert theirs > 0
    assert len(found.woken_ms) == 6
    assert 0 < found.woken_ms[0] <= found.wake_p95_ms == found.woken_ms[-1]
