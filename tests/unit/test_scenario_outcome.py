"""What differs is named: the case, the key, what was expected and what was found."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from simulation.format.loader import load_scenario
from simulation.format.scenario import ExpectedCase, ExpectedProgramme
from simulation.play.outcome import (
    CaseOutcome,
    ProgrammeOutcome,
    answer_differences,
    case_differences,
    programme_differences,
)

BASE = Path(__file__).parents[1] / "scenarios" / "given" / "bases" / "adult-in-mexico.yaml"

ACCEPTED: Any = ("accepted", None)

FOUND = CaseOutcome(
    case_id="VEN-7Q4K-M2XS",
    stage="travel_authorization",
    waiting_on="arrival",
    authorized_until=datetime(2023, 1, 27, 5, tzinfo=UTC),
    paroled_until=None,
    events=("ApplicationFiled", "SponsorConfirmed", "TravelAuthorized", "SponsorConfirmed"),
)


def differences(**expected: Any) -> list[tuple[str | None, str, Any, Any]]:
    found = case_differences("a", ExpectedCase(**expected), FOUND)
    return [(each.case, each.key, each.expected, each.found) for each in found]


@pytest.mark.parametrize(
    "expected",
    [
        {},
        {"stage": "travel_authorization", "outcome": None, "waiting_on": "arrival"},
        {"authorized_until": datetime(2023, 1, 27, 0, tzinfo=timezone(timedelta(hours=-5)))},
        {"events": ("ApplicationFiled", "TravelAuthorized")},
        {"events": ("SponsorConfirmed", "SponsorConfirmed")},
        {"never": ("CaseClosed",), "counts": {"SponsorConfirmed": 2, "CaseClosed": 0}},
    ],
)
def test_what_holds_is_no_difference(expected: dict[str, Any]) -> None:
    assert differences(**expected) == []


@pytest.mark.parametrize(
    ("expected", "difference"),
    [
        ({"stage": "closed"}, ("a", "stage", "closed", "travel_authorization")),
        ({"waiting_on": None}, ("a", "waiting_on", None, "arrival")),
        ({"paroled_until": date(2024, 1, 1)}, ("a", "paroled_until", date(2024, 1, 1), None)),
        (
            {"events": ("TravelAuthorized", "ApplicationFiled")},
            ("a", "events", ("TravelAuthorized", "ApplicationFiled"), FOUND.events),
        ),
        ({"never": ("SponsorConfirmed",)}, ("a", "never", "SponsorConfirmed", 2)),
        ({"counts": {"SponsorConfirmed": 1}}, ("a", "counts.SponsorConfirmed", 1, 2)),
    ],
)
def test_what_does_not_hold_is_named(expected: dict[str, Any], difference: tuple[str, str, Any, Any]) -> None:
    assert differences(**expected) == [difference]


def test_figures_that_are_not_named_are_not_compared() -> None:
    found = programme_differences(ExpectedProgramme(authorized=0), ProgrammeOutcome(places=9, authorized=1, waiting=2))

    assert [(each.key, each.expected, each.found) for each in found] == [("expect_programme.authorized", 0, 1)]


def test_each_delivery_must_be_answered_as_expected_and_an_item_that_never_came_is_told(tmp_path: Path) -> None:
    item = "{at: 2022-11-20T12:00:00Z, case: a, message: application.withdrawn, deliver: 2, expect_answer: accepted}"
    file = tmp_path / "s.yaml"
    file.write_text(f"scenario: One\nextends: {BASE}\ntimeline: [{item}]\n")
    scenario = load_scenario(file)

    assert list(answer_differences(scenario, {0: [ACCEPTED, ACCEPTED]})) == []
    for given, found in (({0: [ACCEPTED, ("rejected", "no-reason")]}, "rejected"), ({}, None)):
        (difference,) = answer_differences(scenario, given)
        assert (difference.case, difference.key) == ("a", "timeline[0].expect_answer")
        assert (difference.expected, difference.found) == ("accepted", found)
