"""A boarding check: the first that holds, in the order of scenarios/README.md."""

from datetime import UTC, date, datetime

import pytest

from domain.humanitarian_parole.case import may_travel
from domain.humanitarian_parole.stages.filing import WithdrawalRequest
from domain.humanitarian_parole.stages.travel import ArrivalRefused
from domain.humanitarian_parole.stages.vetting import VettingClearedAnswer
from domain.kernel.messages import ProgrammeChanged
from domain.kernel.programme import Programme
from tests.support.filed import day
from tests.support.given import OPEN, RULES, Given, given, met, plus, suspended, terminated, told
from tests.support.stages import (
    asked_about_supporter,
    asked_for_vetting,
    authorized,
    closed,
    held_for_passport,
    held_for_supporter,
    paroled,
    waitlisted,
)

OVER = datetime(2023, 1, 27, 5, tzinfo=UTC)
LAST_MOMENT = plus(OVER, microseconds=-1)
EXPIRED = authorized().and_then(met("authorization", OVER))
REFUSED = authorized().and_then(told(ArrivalRefused(port="MIA"), day(31)))
WITHDRAWN = authorized().and_then(told(WithdrawalRequest(), day(31)))
COMPLETED = paroled().and_then(told(ProgrammeChanged(), day(40)))
HELD_BY_PAUSE = asked_for_vetting().and_then(told(VettingClearedAnswer(), day(8)), programme=suspended(day(7)))


def asked(case: Given, at: datetime, programme: Programme = OPEN) -> str:
    return may_travel(case.case, programme, RULES, at)


@pytest.mark.parametrize(
    ("case", "at", "answer"),
    [
        (given(), day(1), "none"),
        (asked_about_supporter(), day(1), "none"),
        (waitlisted(), day(9), "none"),
        (closed(), day(9), "none"),
        (authorized(), day(8), "ok"),
        (authorized(), LAST_MOMENT, "ok"),
        (authorized(), OVER, "expired"),
        (held_for_supporter(), day(11), "held"),
        (held_for_passport(), day(11), "held"),
        (held_for_supporter(), OVER, "expired"),
        (WITHDRAWN, LAST_MOMENT, "revoked"),
        (WITHDRAWN, OVER, "expired"),
        (EXPIRED, OVER, "expired"),
        (REFUSED, day(32), "none"),
        (REFUSED, OVER, "none"),
        (paroled(), day(32), "none"),
        (paroled(), OVER, "none"),
    ],
)
def test_the_first_that_holds_is_the_answer(case: Given, at: datetime, answer: str) -> None:
    assert asked(case, at) == answer


@pytest.mark.parametrize(
    ("case", "answer"),
    [
        (authorized(), "held"),
        (held_for_supporter(), "held"),
        (waitlisted(), "none"),
        (HELD_BY_PAUSE, "none"),
        (WITHDRAWN, "revoked"),
        (paroled(), "none"),
    ],
)
def test_while_the_programme_is_suspended(case: Given, answer: str) -> None:
    assert asked(case, day(40), suspended(day(35))) == answer


def test_a_pause_that_has_moved_the_last_day_has_moved_its_last_moment() -> None:
    pause = suspended(datetime(2022, 11, 10, 5, tzinfo=UTC), datetime(2022, 12, 1, 5, tzinfo=UTC))

    assert asked(authorized(), OVER, pause) == "ok"
    assert asked(authorized(), datetime(2023, 2, 18, 4, 59, 59, tzinfo=UTC), pause) == "ok"
    assert asked(authorized(), datetime(2023, 2, 18, 5, tzinfo=UTC), pause) == "expired"


def test_termination_lets_nobody_board_even_before_the_case_has_noticed() -> None:
    over = terminated(day(20), date(2023, 1, 31))

    assert asked(authorized(), day(20), over) == "revoked"
    assert asked(held_for_supporter(), day(20), over) == "revoked"
    assert asked(waitlisted(), day(20), over) == "none"
