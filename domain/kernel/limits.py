"""Limits: the moment at which one is over, and how a pause of the programme moves it.

A limit that is running when the programme is suspended stops, and goes on when it resumes with what remained, but with
no less than the floor of the rule set. Where a function answers `None`, the limit stands still.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from domain.kernel.calendar import day_of, end_of


class Deadline(NamedTuple):
    """A limit and the moment it is over; a message received at that very moment is late."""

    at: datetime
    name: str


class Pause(NamedTuple):
    """One suspension of the programme; `until` is None while it lasts."""

    since: datetime
    until: datetime | None


def paused_due(start: datetime, limit: timedelta, pauses: Iterable[Pause], floor: timedelta) -> datetime | None:
    """When a limit of 24-hour days that began at `start` is over."""
    due = start + limit
    for pause in pauses:
        if pause.until is not None and pause.until <= start:
            continue
        if pause.since >= due:
            break
        if pause.until is None:
            return None
        due = pause.until + max(due - max(pause.since, start), floor)
    return due


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
