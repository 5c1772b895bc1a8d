"""Calendar days where the programme counts in days: America/New_York, whatever zone a moment was written in."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")


def day_of(moment: datetime) -> date:
    """The calendar day in America/New_York on which `moment` falls."""
    return moment.astimezone(NEW_YORK).date()


def start_of(day: date) -> datetime:
    """The first instant of `day` in America/New_York, in UTC."""
    return datetime.combine(day, time.min, NEW_YORK).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The first instant after `day` in America/New_York, in UTC: a limit that ends with `day` is over then."""
    return start_of(days_after(day, 1))


def days_after(day: date, days: int) -> date:
    """The day `days` later (earlier if negative), within the calendar: what comes from outside may be its last day."""
    return date.fromordinal(min(max(day.toordinal() + days, date.min.toordinal()), date.max.toordinal()))


def month_of(moment: datetime) -> str:
    """The calendar month in America/New_York, as `YYYY-MM`."""
    return f"{day_of(moment):%Y-%m}"


def start_of_next_month(moment: datetime) -> datetime:
    """The first instant of the calendar month after the one `moment` falls in."""
    first = day_of(moment).replace(day=1)
    return start_of((first + timedelta(days=32)).replace(day=1))


def age_on(birth_date: date, day: date) -> int:
    """Full years on `day`; the birthday itself counts as reached."""
    had_birthday = (day.month, day.day) >= (birth_date.month, birth_date.day)
    return day.year - birth_date.year - (0 if had_birthday else 1)


def years_after(day: date, years: int) -> date:
    """The same day `years` later (earlier if negative), within the calendar; 29 February may become 28 February."""
    year = day.year + years
    if not date.min.year <= year <= date.max.year:
        return date.max if years > 0 else date.min
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)
