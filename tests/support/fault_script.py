"""Cases with every kind of ending, told so that no delay of Passage's own changes what becomes of them."""

from pathlib import Path
from typing import Final

from simulation.demonstration.repeat import with_people
from simulation.format.loader import load_scenario
from simulation.format.scenario import Scenario

PLACES: Final = 4
"""Fewer than are asked for at once, so that places are waited for, freed and passed on while things die."""
USUAL: Final = "all five steps"
_FOLDER: Final = Path(__file__).parents[1] / "faults" / "scenarios"
SCENARIOS: Final = tuple(load_scenario(file) for file in sorted(_FOLDER.glob("[0-9]*.yaml")))


def script(first_person: int) -> tuple[Scenario, ...]:
    """The scenarios of one run, about persons from `first_person` on. Who is paroled then waits for its end."""
    return tuple(with_people(each, first_person + index) for index, each in enumerate(SCENARIOS))
