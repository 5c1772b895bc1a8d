"""Calendar days, limits, and how a pause of the programme moves a limit.

Days are those of America/New_York, whatever zone a moment was written in. A limit that is running when the programme
is suspended stops, and goes on when it resumes with what remained, but with no less than the floor of the rule set.
Where a function answers `None`, the limit stands still.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
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


class Deadline(NamedTuple):
    """A limit and the moment it is over; a message received at that very moment is late."""

    at: datetime
    name: str


class Pause(NamedTuple):
    """One suspension of the programme; `until` is None while it lasts."""

    since: datetime
    until: datetime | None


def paused_due(
    start: datetime, limit: timedelta, pauses: Iterable[Pause], floor: timedelta, stops: Iterable[Pause] = ()
) -> datetime | None:
    """When a limit of 24-hour days that began at `start` is over.

    `stops` are the times for which its case was closed: the limit goes on with just what remained.
    """
    due = start + limit
    for pause, least in _merged(pauses, floor, stops):
        if pause.until is not None and pause.until <= start:
            continue
        if pause.since >= due:
            break
        if pause.until is None:
            return None
        due = pause.until + max(due - max(pause.since, start), least)
    return due


def _merged(pauses: Iterable[Pause], floor: timedelta, stops: Iterable[Pause]) -> list[tuple[Pause, timedelta]]:
    """Pauses and stops in order, those that overlap as one, and what remains at least after each."""
    merged: list[tuple[Pause, timedelta]] = []
    both = [*((pause, floor) for pause in pauses), *((stop, timedelta()) for stop in stops)]
    for each, least in sorted(both, key=lambda one: one[0].since):
        last = merged[-1][0] if merged else None
        if last is None or (last.until is not None and last.until < each.since):
            merged.append((each, least))
        else:
            until = None if last.until is None or each.until is None else max(last.until, each.until)
            merged[-1] = (Pause(last.since, until), merged[-1][1])
    return merged


def paused_last_day(last_day: date, set_at: datetime, pauses: Iterable[Pause], floor: timedelta) -> date | None:
    """The last day of an authorization whose `last_day` was set at `set_at`.

    Of N days that remain, the day of suspension counted, the Nth day after the day of resumption is the last. A last
    day set during a pause (an extension) was set in the calendar of the day of suspension.
    """
    for pause in pauses:
        if pause.until is not None and pause.until <= set_at:
            continue
        if pause.since >= end_of(last_day):
            break
        if pause.until is None:
            return None
        remaining = last_day - day_of(pause.since) + timedelta(days=1)
        last_day = day_of(pause.until) + max(remaining, floor)
    return last_day
