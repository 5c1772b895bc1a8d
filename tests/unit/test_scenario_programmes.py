"""A scenario of several programmes: whose is what, which caps are set, and what is malformed."""

from pathlib import Path

import pytest

from simulation.format.faults import MalformedScenario
from simulation.format.loader import load_scenario
from simulation.format.programmes import places_at_start, programme_of, programmes_of
from simulation.format.scenario import Scenario

BASE = Path(__file__).parents[1] / "scenarios" / "four-programmes" / "bases" / "one-each.yaml"
EVERY = ("venezuela-air", "cuba-air", "haiti-air", "nicaragua-air")


def load(folder: Path, text: str) -> Scenario:
    file = folder / "s.yaml"
    file.write_text(f"scenario: One\nextends: {BASE}\n{text}\n")
    return load_scenario(file)


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(MalformedScenario) as malformed:
        load(folder, text)
    return [str(each).removeprefix(f"{folder}/") for each in malformed.value.faults]


def test_each_application_names_its_programme(tmp_path: Path) -> None:
    scenario = load(tmp_path, "")

    assert programmes_of(scenario) == EVERY
    assert [programme_of(scenario, each) for each in scenario.applications.values()] == list(EVERY)


@pytest.mark.parametrize(
    ("places", "caps"),
    [
        ("2", {"chnv": 2}),
        ("{chnv: 2}", {"chnv": 2}),
        ("{haiti-air: 2}", {"chnv": 2}),
        ('{venezuela-air: 5, chnv: 2}\nrules: {venezuela-air: "2022-10-19"}', {"venezuela-air": 5, "chnv": 2}),
        ('3\nprogramme: venezuela-air\nrules: {venezuela-air: "2022-10-19"}', {"venezuela-air": 3}),
    ],
)
def test_places_are_of_a_programme_or_a_pool(tmp_path: Path, places: str, caps: dict[str, int]) -> None:
    assert places_at_start(load(tmp_path, f"places: {places}")) == caps


def test_a_message_about_a_pool_goes_to_the_first_programme_that_draws_on_it(tmp_path: Path) -> None:
    line = "{at: 2023-01-20T00:00:00Z, message: programme.cap, pool: chnv, places: 1}"
    scenario = load(tmp_path, f'timeline: [{line}]\nrules: {{venezuela-air: "2022-10-19"}}')

    assert programme_of(scenario, scenario.timeline[0]) == "cuba-air"


HERE = "s.yaml:3: "
KNOWN = "cuba-air, haiti-air, nicaragua-air, venezuela-air"
SAID = "at: 2023-01-20T00:00:00Z, message"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "applications: {h: {filed_at: 2023-01-08T23:59:59-05:00}}",
            "applications.h.filed_at: is before haiti-air opens, at 2023-01-09T00:00:00-05:00",
        ),
        (
            "applications: {h: {programme: chile-air}}",
            f"applications.h.programme: no such programme; there are {KNOWN}",
        ),
        ('rules: {cuba-air: "2022-10-19"}', "rules.cuba-air: no such rule set of cuba-air; there are 2023-01-06"),
        ("rules: {cuba-air: 7}", "rules.cuba-air: is not text; quote it"),
        ("places: {chnv: 1, cuba-air: 2}", "places.chnv: the cap of chnv is given twice"),
        ("places: {general: 1}", "places.general: no programme or pool of that name at the start"),
        (
            'places: 1\nrules: {venezuela-air: "2022-10-19"}',
            "places: could be the cap of several pools: give a map by pool",
        ),
        (
            f"timeline: [{{{SAID}: programme.suspended}}]",
            "timeline[0].programme: is missing, and the scenario has none of its own",
        ),
        (
            f"timeline: [{{{SAID}: application.withdrawn, case: v, programme: cuba-air}}]",
            "timeline[0].programme: application.withdrawn speaks to a case and carries no programme",
        ),
        (
            "expect_programme: {authorized: 1}",
            f"expect_programme: is a map by programme: there are {', '.join(EVERY)}",
        ),
        (
            "expect_programme: {chile-air: {authorized: 1}}",
            "expect_programme.chile-air: no programme of that name in this scenario",
        ),
        ("expect_programme: {cuba-air: {authorised: 1}}", "expect_programme.cuba-air.authorised: unknown key"),
    ],
)
def test_what_does_not_agree_is_malformed(tmp_path: Path, text: str, fault: str) -> None:
    assert HERE + fault in faults(tmp_path, text)


def test_an_application_without_a_programme_needs_that_of_the_scenario(tmp_path: Path) -> None:
    text = BASE.read_text().replace("    programme: haiti-air\n", "")
    file = tmp_path / "whole.yaml"
    file.write_text(f"scenario: One\n{text}")
    with pytest.raises(MalformedScenario, match=r"applications\.h\.programme: is missing"):
        load_scenario(file)
