"""`passage bench floor`, short: it runs, both sides do as much, and every part is reported."""

import json
from pathlib import Path

import pytest

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
