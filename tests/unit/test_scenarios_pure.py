"""Every scenario file, the specification's, the project's own and the demonstration's, played over the pure domain."""

from pathlib import Path

import pytest

from simulation.demonstration.repeat import demonstration_files
from simulation.format.loader import load_scenario
from tests.support.player import Player
from tests.support.verdict import differences

SCENARIOS = Path(__file__).parents[1] / "scenarios"
FOLDERS = ("given", ".", "four-programmes")
FILES = [*(file for folder in FOLDERS for file in sorted((SCENARIOS / folder).glob("*.yaml"))), *demonstration_files()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_scenario_comes_out_as_its_file_says(file: Path) -> None:
    assert differences(Player(load_scenario(file)).play()) == []


def test_the_specification_and_the_projects_own_scenarios_are_there() -> None:
    assert len(list((SCENARIOS / "given").glob("*.yaml"))) >= 20
    assert len(list(SCENARIOS.glob("*.yaml"))) >= 45


@pytest.mark.parametrize(
    ("expected", "difference"),
    [
        ("a: {stage: closed}", "a: stage: expected closed, was work_permit_eligibility"),
        ("a: {waiting_on: null}", "a: waiting_on: expected None, was parole_end"),
        ("a: {events: [TravelAuthorized, VettingCleared]}", "a: events: VettingCleared is not there in its order"),
        ("a: {never: [ParoleGranted]}", "a: never ParoleGranted, but it happened"),
        ("a: {counts: {ParoleGranted: 2}}", "a: counts: ParoleGranted expected 2, was 1"),
    ],
)
def test_what_a_file_expects_in_vain_is_a_difference(tmp_path: Path, expected: str, difference: str) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(f"extends: {SCENARIOS / 'given' / '01-all-five-steps.yaml'}\nexpect: {{{expected}}}\n")

    found = differences(Player(load_scenario(file)).play())

    assert len(found) == 1
    assert found[0].startswith(difference)


def test_an_answer_and_a_number_of_places_that_differ_are_differences(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(
        f"extends: {SCENARIOS / 'given' / '01-all-five-steps.yaml'}\nexpect_programme: {{authorized: 2}}\ntimeline:\n"
        "  - {at: 2022-11-20T12:00:00-05:00, case: a, message: travel.boarding_check, expect_answer: held}\n"
    )

    found = "\n".join(differences(Player(load_scenario(file)).play()))

    assert "travel.boarding_check at 2022-11-20 12:00:00-05:00: expected held, was ok" in found
    assert "programme.authorized: expected 2, was 0" in found
