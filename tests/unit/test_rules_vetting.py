"""What vetting found: only a removal order within five years before filing denies."""

from datetime import UTC, date, datetime

import pytest

from domain.humanitarian_parole.stages.sponsor import SponsorConfirmedAnswer
from domain.humanitarian_parole.stages.vetting import Finding, VettingClearedAnswer, removal_order, vetting
from tests.support.filed import CASE, day
from tests.support.given import a_world, filing, given, told
from tests.support.stages import asked_for_vetting, authorized


@pytest.mark.parametrize(
    ("dated", "result"),
    [
        (date(2017, 10, 19), "passed"),
        (date(2017, 10, 20), "passed"),
        (date(2017, 10, 21), "failed"),
        (date(2022, 10, 19), "failed"),
    ],
)
def test_an_order_exactly_five_years_before_filing_passes(dated: date, result: str) -> None:
    cleared = VettingClearedAnswer(findings=(Finding(kind="removal_order", dated=dated),))
    case = asked_for_vetting().when(told(cleared, day(8))).decision.events

    found = removal_order(given(*asked_for_vetting().history, *case[:1]).case, a_world(day(8)))

    assert found.result == result


def test_five_years_before_a_29_february_is_28_february() -> None:
    filed_at = datetime(2024, 2, 29, 14, tzinfo=UTC)
    asked = given().and_then(filing(at=filed_at)).and_then(told(SponsorConfirmedAnswer(), filed_at))

    def judged(dated: date) -> str:
        cleared = VettingClearedAnswer(findings=(Finding(kind="removal_order", dated=dated),))
        events = asked.when(told(cleared, filed_at)).decision.events
        return removal_order(given(*asked.history, *events[:1]).case, a_world(filed_at)).result

    assert judged(date(2019, 2, 28)) == "passed"
    assert judged(date(2019, 3, 1)) == "failed"


def test_vetting_passes_once_it_is_cleared() -> None:
    assert vetting(asked_for_vetting().case, a_world(day(7))).result == "failed"
    found = vetting(authorized().case, a_world(day(8)))
    assert (found.result, found.facts) == ("passed", (f"{CASE}:6",))
