"""A government's pause eats nobody's time: what remained of a limit goes on, with seven days at least."""

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.kernel.calendar import Pause, paused_due, paused_last_day

START = datetime(2022, 11, 1, 12, tzinfo=UTC)
LIMIT, FLOOR = timedelta(days=30), timedelta(days=7)


def after(days: float) -> datetime:
    return START + timedelta(days=days)


@pytest.mark.parametrize(
    ("pauses", "due"),
    [
        ([], after(30)),
        ([Pause(after(-20), after(-10))], after(30)),
        ([Pause(after(-20), after(0))], after(30)),
        ([Pause(after(-20), after(5))], after(35)),
        ([Pause(after(10), after(20))], after(40)),
        ([Pause(after(10), after(10))], after(30)),
        ([Pause(after(10), after(20)), Pause(after(30), after(35))], after(45)),
        ([Pause(after(23), after(50))], after(57)),
        ([Pause(after(23.5), after(50))], after(57)),
        ([Pause(after(29.99), after(50))], after(57)),
        ([Pause(after(29), after(50)), Pause(after(56), after(60))], after(67)),
        ([Pause(after(30), after(50))], after(30)),
        ([Pause(after(31), after(50))], after(30)),
    ],
    ids=[
        "no pause",
        "over before it began",
        "over as it began",
        "it began in a pause",
        "ten days in the middle",
        "a pause of no length",
        "two pauses",
        "seven days remained",
        "six and a half remained",
        "minutes remained",
        "seven at least, each time",
        "suspended at its very end: it was over",
        "suspended later",
    ],
)
def test_a_limit_goes_on_with_what_remained(pauses: list[Pause], due: datetime) -> None:
    assert paused_due(START, LIMIT, pauses, FLOOR) == due


@pytest.mark.parametrize("since", [after(-1), after(0), after(29.99)])
def test_a_limit_stands_still_while_the_pause_lasts(since: datetime) -> None:
    assert paused_due(START, LIMIT, [Pause(since, None)], FLOOR) is None


def test_a_pause_after_its_end_stops_no_limit() -> None:
    assert paused_due(START, LIMIT, [Pause(after(30), None)], FLOOR) == after(30)


LAST_DAY, SET_AT = date(2023, 1, 26), datetime(2022, 10, 28, 14, tzinfo=UTC)


def new_york(day: str, hour: int = 0) -> datetime:
    """An hour of a winter's day in New York."""
    return datetime.fromisoformat(f"{day}T{hour:02}:00:00-05:00")


@pytest.mark.parametrize(
    ("since", "until", "last_day"),
    [
        ("2022-11-10", "2022-12-01", date(2023, 2, 17)),
        ("2022-11-10", "2022-11-10", date(2023, 1, 27)),
        ("2023-01-20", "2023-02-10", date(2023, 2, 17)),
        ("2023-01-21", "2023-02-10", date(2023, 2, 17)),
        ("2023-01-26", "2023-02-10", date(2023, 2, 17)),
        ("2023-01-27", "2023-02-10", LAST_DAY),
    ],
    ids=[
        "78 days remained",
        "a pause within one day",
        "seven days remained",
        "six days remained",
        "the last day itself",
        "suspended after it",
    ],
)
def test_the_days_of_an_authorization_follow_the_day_of_resumption(since: str, until: str, last_day: date) -> None:
    pauses = [Pause(new_york(since), new_york(until, 23))]

    assert paused_last_day(LAST_DAY, SET_AT, pauses, FLOOR) == last_day


def test_the_hour_of_the_day_does_not_matter_to_an_authorization() -> None:
    early = [Pause(new_york("2022-11-10"), new_york("2022-12-01"))]
    late = [Pause(new_york("2022-11-10", 23), new_york("2022-12-01", 23))]

    assert paused_last_day(LAST_DAY, SET_AT, early, FLOOR) == paused_last_day(LAST_DAY, SET_AT, late, FLOOR)


def test_each_pause_counts_from_the_last_day_that_the_one_before_left() -> None:
    pauses = [
        Pause(new_york("2022-11-10"), new_york("2022-12-01")),  # Until 17 February.
        Pause(new_york("2023-02-01"), new_york("2023-03-01")),  # 17 days remain.
    ]

    assert paused_last_day(LAST_DAY, SET_AT, pauses, FLOOR) == date(2023, 3, 18)


def test_pauses_before_the_day_was_set_are_in_it_already() -> None:
    pauses = [Pause(new_york("2022-10-01"), new_york("2022-10-20"))]

    assert paused_last_day(LAST_DAY, SET_AT, pauses, FLOOR) == LAST_DAY


def test_a_last_day_stands_still_while_the_pause_lasts() -> None:
    assert paused_last_day(LAST_DAY, SET_AT, [Pause(new_york("2022-11-10"), None)], FLOOR) is None
    assert paused_last_day(LAST_DAY, SET_AT, [Pause(new_york("2023-01-27"), None)], FLOOR) == LAST_DAY
