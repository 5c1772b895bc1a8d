"""Entries: proof of entry into Mexico before the cutoff, and no irregular entry after the notice."""

from datetime import date, datetime

import pytest

from domain.humanitarian_parole.application import Document
from domain.humanitarian_parole.stages.crossing import IrregularCrossingReport, irregular_entry
from domain.humanitarian_parole.stages.mexico_entry import is_strong, latest_mexican_entry, mexico_entry_as_declared
from tests.support.filed import FILED_AT, a_beneficiary, a_stamp, an_application, an_entry, day, in_mexico
from tests.support.given import SETS, Given, a_world, filing, given, told
from tests.support.stages import paroled

ANNOUNCEMENT = date(2022, 10, 12)
EVE = date(2022, 10, 11)


def filed(application: object) -> Given:
    return given(*given().when(filing(application)).decision.events[:1])


@pytest.mark.parametrize(
    ("entered_at", "result"),
    [
        ("2022-10-11T23:59:59-05:00", "passed"),
        ("2022-10-12T00:00:00-05:00", "failed"),
        ("2022-10-11T23:30:00-08:00", "passed"),
        ("2022-10-12T00:30:00+02:00", "failed"),
    ],
    ids=["before midnight", "at midnight", "later in UTC, by its own day before", "before in UTC, by its own day late"],
)
def test_the_local_day_of_entry_into_mexico_is_before_the_announcement(entered_at: str, result: str) -> None:
    case = filed(in_mexico(an_entry(entered_at))).case

    assert mexico_entry_as_declared(case, a_world(FILED_AT)).result == result


def test_the_latest_entry_into_mexico_counts_by_its_moment() -> None:
    application = in_mexico(
        an_entry("2022-10-11T23:30:00-05:00"),
        an_entry("2022-10-12T01:00:00-03:00"),  # Half an hour before the one above, on a later local day.
        an_entry("2022-10-14T10:00:00-05:00", country="GTM"),
    )

    latest = latest_mexican_entry(filed(application).case)

    assert latest is not None
    assert latest.entered_at == datetime.fromisoformat("2022-10-11T23:30:00-05:00")


def test_outside_mexico_no_entry_counts() -> None:
    late = an_entry("2022-10-15T10:00:00-05:00")
    case = filed(an_application(a_beneficiary(located_in="GTM"), entries=(late,))).case

    found = mexico_entry_as_declared(case, a_world(FILED_AT))

    assert (found.result, found.because) == ("passed", "not-in-mexico")


@pytest.mark.parametrize("kind", ["passport_stamp", "fmm", "fmmd"])
def test_a_strong_document_shows_entry_and_issue_before_the_announcement(kind: str) -> None:
    assert is_strong(a_stamp(kind=kind, entered_on=EVE, issued_on=EVE), ANNOUNCEMENT)


@pytest.mark.parametrize(
    "document",
    [
        a_stamp(kind="tvrh"),
        a_stamp(kind="other"),
        a_stamp(entered_on=ANNOUNCEMENT),
        a_stamp(issued_on=ANNOUNCEMENT),
        a_stamp(entered_on=None),
        a_stamp(issued_on=None),
    ],
    ids=["self-declared", "unknown", "entered too late", "issued too late", "no entry", "no issue"],
)
def test_any_other_document_is_weak(document: Document) -> None:
    assert not is_strong(document, ANNOUNCEMENT)


@pytest.mark.parametrize(
    ("rules", "crossed_at", "result"),
    [
        ("2022-10-12", "2022-10-12T23:59:59-05:00", "passed"),
        ("2022-10-12", "2022-10-13T00:00:00-05:00", "failed"),
        ("2022-10-19", "2022-10-13T00:00:00-05:00", "passed"),
        ("2022-10-19", "2022-10-19T23:59:59-05:00", "passed"),
        ("2022-10-19", "2022-10-20T00:00:00-05:00", "failed"),
        ("2022-10-19", "2022-10-19T23:59:59-08:00", "passed"),
        ("2023-01-06", "2022-10-19T12:00:00-05:00", "passed"),
        ("2023-01-06", "2022-10-20T12:00:00-05:00", "failed"),
    ],
)
def test_an_irregular_entry_after_the_day_of_the_set_fails(rules: str, crossed_at: str, result: str) -> None:
    world = a_world(FILED_AT, rules=SETS[rules])
    declared = an_application(entries=(an_entry(crossed_at, country="PAN", manner="irregular"),))
    report = IrregularCrossingReport(country="PAN", crossed_at=datetime.fromisoformat(crossed_at))

    assert irregular_entry(filed(declared).case, world).result == result
    reported = paroled().and_then(told(report, day(40)))
    assert irregular_entry(reported.case, world).result == result


@pytest.mark.parametrize(
    ("country", "result"),
    [("USA", "failed"), ("MEX", "failed"), ("PAN", "failed"), ("COL", "passed"), ("CRI", "passed")],
)
def test_only_the_countries_named_count(country: str, result: str) -> None:
    entry = an_entry("2022-11-01T12:00:00-05:00", country=country, manner="irregular")

    assert irregular_entry(filed(an_application(entries=(entry,))).case, a_world(FILED_AT)).result == result


def test_a_regular_entry_never_counts() -> None:
    entry = an_entry("2022-11-01T12:00:00-05:00", country="USA", manner="regular")

    assert irregular_entry(filed(an_application(entries=(entry,))).case, a_world(FILED_AT)).result == "passed"
