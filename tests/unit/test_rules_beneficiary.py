"""Who the beneficiary is: each rule at both sides of its edge (scenarios/README.md, "Rule sets and parameters")."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.humanitarian_parole.application import Beneficiary
from domain.humanitarian_parole.stages.beneficiary import minor_guardian, nationality, one_active_case, sole_nationality
from domain.humanitarian_parole.stages.filing import ApplicationFiled
from domain.kernel.case import Case
from tests.support.filed import (
    CASE,
    EARLIER,
    FILED_AT,
    PRINCIPAL,
    a_beneficiary,
    a_guardian,
    an_application,
    travelling_with,
)
from tests.support.given import RULES, a_world, given


def case_of(beneficiary: Beneficiary) -> Case:
    filed = ApplicationFiled(
        at=FILED_AT,
        programme="venezuela-air",
        rules_version=RULES.version,
        rules_digest=RULES.digest,
        application=an_application(beneficiary),
    )
    return given(filed).case


@pytest.mark.parametrize(
    ("nationalities", "result"),
    [(("VEN",), "passed"), (("VEN", "ESP"), "passed"), (("COL",), "failed"), ((), "failed")],
)
def test_nationality_asks_for_a_venezuelan(nationalities: tuple[str, ...], result: str) -> None:
    case = case_of(a_beneficiary(nationalities=nationalities))

    assert nationality(case, a_world(FILED_AT)).result == result


@pytest.mark.parametrize(
    ("elsewhere", "result"),
    [
        ({}, "passed"),
        ({"nationalities": ("VEN", "VEN")}, "passed"),
        ({"permanent_resident_of": ("VEN",)}, "passed"),
        ({"nationalities": ("VEN", "ESP")}, "failed"),
        ({"permanent_resident_of": ("COL",)}, "failed"),
        ({"refugee_in": ("PER",)}, "failed"),
    ],
)
def test_a_principal_has_no_status_elsewhere(elsewhere: dict[str, Any], result: str) -> None:
    case = case_of(a_beneficiary(**elsewhere))

    assert sole_nationality(case, a_world(FILED_AT, principal_open=True)).result == result


@pytest.mark.parametrize("relationship", ["spouse", "partner", "child"])
@pytest.mark.parametrize(("principal_open", "result"), [(True, "passed"), (False, "failed")])
def test_family_is_exempt_while_the_principals_case_is_open(
    relationship: str, principal_open: bool, result: str
) -> None:
    beneficiary = a_beneficiary(
        birth_date=date(2015, 1, 1), nationalities=("VEN", "ESP"), travels_with=travelling_with(relationship)
    )

    found = sole_nationality(case_of(beneficiary), a_world(FILED_AT, principal_open=principal_open))

    assert found.result == result
    assert found.cases == (PRINCIPAL,)


@pytest.mark.parametrize(
    ("birth_date", "result"),
    [(date(2001, 10, 21), "passed"), (date(2001, 10, 20), "failed"), (date(2001, 10, 19), "failed")],
)
def test_a_birthday_ends_childhood(birth_date: date, result: str) -> None:
    child = a_beneficiary(birth_date=birth_date, refugee_in=("PER",), travels_with=travelling_with("child"))

    assert sole_nationality(case_of(child), a_world(FILED_AT, principal_open=True)).result == result


def test_a_birthday_is_a_day_in_new_york() -> None:
    child = a_beneficiary(birth_date=date(2001, 10, 21), refugee_in=("PER",), travels_with=travelling_with("child"))
    late_evening = datetime(2022, 10, 21, 3, 59, tzinfo=UTC)

    assert sole_nationality(case_of(child), a_world(late_evening, principal_open=True)).result == "passed"
    assert (
        sole_nationality(case_of(child), a_world(datetime(2022, 10, 21, 4, tzinfo=UTC), principal_open=True)).result
        == "failed"
    )


def test_nobody_is_their_own_principal() -> None:
    alone = a_beneficiary(refugee_in=("PER",), travels_with=travelling_with("spouse", CASE))

    assert sole_nationality(case_of(alone), a_world(FILED_AT, principal_open=True)).result == "failed"


@pytest.mark.parametrize(
    ("relationship", "evidence", "result"),
    [
        ("parent", "birth_certificate", "passed"),
        ("legal_guardian", "court_order", "passed"),
        ("parent", "court_order", "failed"),
        ("parent", "power_of_attorney", "failed"),
        ("legal_guardian", "birth_certificate", "failed"),
        ("legal_guardian", "power_of_attorney", "failed"),
        ("relative", "birth_certificate", "failed"),
        ("relative", "court_order", "failed"),
        ("relative", "power_of_attorney", "failed"),
    ],
)
def test_a_minor_needs_a_parent_or_guardian_with_the_right_paper(relationship: str, evidence: str, result: str) -> None:
    minor = a_beneficiary(birth_date=date(2010, 5, 5), guardian=a_guardian(relationship, evidence))

    assert minor_guardian(case_of(minor), a_world(FILED_AT)).result == result


@pytest.mark.parametrize(
    ("birth_date", "result"),
    [(date(2004, 10, 19), "passed"), (date(2004, 10, 20), "passed"), (date(2004, 10, 21), "failed")],
)
def test_the_eighteenth_birthday_ends_minority(birth_date: date, result: str) -> None:
    assert minor_guardian(case_of(a_beneficiary(birth_date=birth_date)), a_world(FILED_AT)).result == result


def test_one_open_case_a_person() -> None:
    case = case_of(a_beneficiary())

    assert one_active_case(case, a_world(FILED_AT)).result == "passed"
    found = one_active_case(case, a_world(FILED_AT, same_person=(EARLIER,)))
    assert (found.result, found.cases) == ("failed", (EARLIER,))


def test_a_rule_names_the_event_whose_facts_it_used() -> None:
    case = case_of(a_beneficiary())

    for rule in (nationality, sole_nationality, minor_guardian, one_active_case):
        assert rule(case, a_world(FILED_AT)).facts == (f"{CASE}:1",)
