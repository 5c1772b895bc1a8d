"""Every scenario file, the specification's and the project's own, played over the pure domain."""

from pathlib import Path

import pytest

from simulation.loader import load_scenario
from tests.support.player import Player
from tests.support.verdict import differences

SCENARIOS = Path(__file__).parents[1] / "scenarios"
FILES = sorted(file for folder in ("given", ".") for file in (SCENARIOS / folder).glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_scenario_comes_out_as_its_file_says(file: Path) -> None:
    assert differences(Player(load_scenario(file)).play()) == []


def test_the_specification_and_the_projects_own_scenarios_are_there() -> None:
    assert len(list((SCENARIOS / "given").glob("*.yaml"))) == 17
    assert len(list(SCENARIOS.glob("*.yaml"))) >= 45
