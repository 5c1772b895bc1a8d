"""Which limits of a case are running, and when they are over."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from domain.humanitarian_parole.definition import FAMILY
from domain.humanitarian_parole.stages.filing import WithdrawalRequest
from domain.humanitarian_parole.stages.parole import ArrivalParoled, parole_last_day
from domain.humanitarian_parole.stages.travel import ArrivalRefused, authorized_until
from domain.kernel.calendar import Pause
from domain.kernel.decider import deadlines
from domain.kernel.messages import Message
from domain.kernel.programme import Programme
from tests.support.filed import FILED_AT, day
from tests.support.given import MONTHLY, OPEN, RULES, Given, given, met, suspended, terminated, told
from tests.support.stages import (
    a_changed_passport,
    asked_about_supporter,
    asked_for_evidence,
    asked_for_vetting,
    authorized,
    closed,
    held_for_supporter,
    paroled,
    referred_for_vetting,
    waitlisted,
)

OVER = datetime(2023, 1, 27, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("case", "running"),
    [
        (given(), {}),
        (asked_about_supporter(), {}),
        (asked_for_vetting(), {}),
        (asked_for_evidence(), {"evidence": day(34)}),
        (referred_for_vetting(), {"referral": day(23)}),
        (waitlisted(), {}),
        (authorized(), {"authorization": OVER}),
        (held_for_supporter(), {"supporter": day(40), "authorization": OVER}),
        (closed(), {}),
    ],
    ids=["not filed", "asked", "vetted", "evidence", "referred", "waiting", "authorized", "held", "closed"],
)
def test_each_limit_runs_while_its_question_is_open(case: Given, running: dict[str, datetime]) -> None:
    assert case.due(day(10)) == running


@pytest.mark.parametrize(
    ("case", "running"),
    [
        (asked_for_evidence(), {}),
        (held_for_supporter(), {}),
        (referred_for_vetting(), {"referral": day(23)}),
        (authorized(), {}),
    ],
)
def test_in_a_suspension_only_referrals_run_on(case: Given, running: dict[str, datetime]) -> None:
    assert case.due(day(11), suspended(day(11))) == running


def test_a_limit_that_ended_unnoticed_before_a_suspension_is_met_when_it_is_over() -> None:
    assert asked_for_evidence().due(day(36), suspended(day(35))) == {}
    assert asked_for_evidence().due(day(50), suspended(day(35), day(50))) == {"evidence": day(34)}


def test_the_first_to_end_comes_first() -> None:
    found = deadlines(FAMILY, held_for_supporter().case, day(10), RULES, OPEN)

    assert [deadline.name for deadline in found] == ["supporter", "authorization"]
    assert [deadline.at for deadline in found] == sorted(deadline.at for deadline in found)


def test_under_a_monthly_cap_a_waiting_case_looks_again_each_month() -> None:
    assert waitlisted().due(day(9), MONTHLY) == {"month": datetime(2022, 11, 1, 4, tzinfo=UTC)}
    assert waitlisted().due(day(40), MONTHLY) == {"month": datetime(2022, 12, 1, 5, tzinfo=UTC)}
    assert authorized().due(day(9), MONTHLY) == {"authorization": OVER}


def test_an_authorization_is_good_until_the_first_instant_after_its_last_day() -> None:
    assert authorized_until(authorized().case, OPEN, RULES) == OVER
    assert authorized_until(asked_for_vetting().case, OPEN, RULES) is None
    assert authorized_until(authorized().case, suspended(day(20)), RULES) is None


@pytest.mark.parametrize(
    "later",
    [
        suspended(day(40)),
        suspended(day(40), day(60)),
        replace(OPEN, pauses=(Pause(day(40), day(50)), Pause(day(60), None))),
    ],
    ids=["suspended", "resumed", "twice"],
)
@pytest.mark.parametrize("end", [WithdrawalRequest(), ArrivalParoled(port="MIA"), ArrivalRefused(port="MIA")])
def test_what_happens_to_the_programme_once_an_authorization_is_used_or_closed_moves_it_no_more(
    later: Programme, end: Message
) -> None:
    ended = authorized().and_then(told(end, day(31)))

    assert authorized_until(ended.case, later, RULES) == OVER


def test_an_expired_authorization_keeps_the_last_day_that_a_pause_gave_it() -> None:
    pause = suspended(day(20), day(30))
    until = authorized_until(authorized().case, pause, RULES)
    assert until is not None
    expired = authorized().and_then(met("authorization", until), programme=pause)

    assert authorized_until(expired.case, pause, RULES) == until


def test_the_last_day_of_parole_remains_after_closing() -> None:
    assert parole_last_day(authorized().case, OPEN) is None
    assert parole_last_day(paroled().case, OPEN) == date(2024, 11, 19)
    over = terminated(day(40), date(2023, 1, 31))
    assert parole_last_day(paroled().case, over) == date(2023, 1, 31)
    ended = paroled().and_then(met("parole-end", datetime(2023, 2, 1, 5, tzinfo=UTC)), programme=over)
    assert ended.case.closed
    assert parole_last_day(ended.case, replace(over, parole_ends_on=date(2022, 12, 1))) == date(2023, 1, 31)


def test_a_changed_passport_moves_no_limit() -> None:
    changed = authorized().and_then(told(a_changed_passport(), day(10)))

    assert changed.due(day(10)) == {"authorization": OVER}


def test_limits_of_24_hours_a_day_cross_a_change_of_clocks() -> None:
    asked = asked_for_evidence()

    assert asked.due(FILED_AT)["evidence"] - day(4) == RULES.limit("evidence")
    assert RULES.limit("evidence").total_seconds() == 30 * 24 * 3600
