"""Calendar days in America/New_York, whatever zone a moment was written in."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from domain.kernel.calendar import (
    age_on,
    day_of,
    days_after,
    end_of,
    month_of,
    start_of,
    start_of_next_month,
    years_after,
)

TAPACHULA = timezone(timedelta(hours=-6))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2022, 10, 20, 3, 59, 59, tzinfo=UTC), date(2022, 10, 19)),
        (datetime(2022, 10, 20, 4, tzinfo=UTC), date(2022, 10, 20)),
        (datetime(2022, 12, 20, 4, 59, 59, tzinfo=UTC), date(2022, 12, 19)),
        (datetime(2022, 12, 20, 5, tzinfo=UTC), date(2022, 12, 20)),
        (datetime(2022, 12, 19, 23, 30, tzinfo=TAPACHULA), date(2022, 12, 20)),
    ],
    ids=["summer, before", "summer, midnight", "winter, before", "winter, midnight", "written elsewhere"],
)
def test_a_moment_falls_on_a_day_in_new_york(moment: datetime, day: date) -> None:
    assert day_of(moment) == day
    assert start_of(day) <= moment < end_of(day)


def test_a_day_lasts_as_long_as_the_clocks_say() -> None:
    spring, autumn = date(2023, 3, 12), date(2022, 11, 6)

    assert end_of(spring) - start_of(spring) == timedelta(hours=23)
    assert end_of(autumn) - start_of(autumn) == timedelta(hours=25)


@pytest.mark.parametrize(
    ("moment", "month", "following"),
    [
        (datetime(2023, 2, 1, 4, 59, 59, tzinfo=UTC), "2023-01", datetime(2023, 2, 1, 5, tzinfo=UTC)),
        (datetime(2023, 2, 1, 5, tzinfo=UTC), "2023-02", datetime(2023, 3, 1, 5, tzinfo=UTC)),
        (datetime(2023, 3, 20, 5, tzinfo=UTC), "2023-03", datetime(2023, 4, 1, 4, tzinfo=UTC)),
        (datetime(2022, 12, 31, 12, tzinfo=UTC), "2022-12", datetime(2023, 1, 1, 5, tzinfo=UTC)),
    ],
)
def test_months_begin_at_midnight_in_new_york(moment: datetime, month: str, following: datetime) -> None:
    assert month_of(moment) == month
    assert start_of_next_month(moment) == following


@pytest.mark.parametrize(
    ("birth_date", "day", "age"),
    [
        (date(2004, 10, 20), date(2022, 10, 19), 17),
        (date(2004, 10, 20), date(2022, 10, 20), 18),
        (date(2004, 2, 29), date(2022, 2, 28), 17),
        (date(2004, 2, 29), date(2022, 3, 1), 18),
    ],
)
def test_a_birthday_counts_as_reached(birth_date: date, day: date, age: int) -> None:
    assert age_on(birth_date, day) == age


@pytest.mark.parametrize(
    ("day", "years", "then"),
    [
        (date(2019, 6, 6), 5, date(2024, 6, 6)),
        (date(2024, 2, 29), 4, date(2028, 2, 29)),
        (date(2024, 2, 29), 5, date(2029, 2, 28)),
        (date(2024, 2, 29), -5, date(2019, 2, 28)),
        (date(9998, 6, 6), 5, date.max),
        (date(2, 6, 6), -5, date.min),
    ],
)
def test_years_after_a_day(day: date, years: int, then: date) -> None:
    assert years_after(day, years) == then


def test_the_calendar_has_a_first_and_a_last_day() -> None:
    assert days_after(date(2022, 12, 31), 1) == date(2023, 1, 1)
    assert days_after(date(2022, 3, 1), -1) == date(2022, 2, 28)
    assert days_after(date.max, 90) == date.max
    assert days_after(date.min, -90) == date.min
    assert end_of(date.max) > datetime(9999, 12, 30, tzinfo=UTC)
