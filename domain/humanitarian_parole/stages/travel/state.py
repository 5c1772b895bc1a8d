"""The state of a travel authorization: its place, its last day, its pauses and its limits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from domain.kernel.calendar import Deadline, Pause, day_of, end_of, paused_last_day, start_of_next_month
from domain.kernel.case import Case, replace
from domain.kernel.programme import Programme
from domain.kernel.rule_set import RuleSet

ALLOTMENT = "air"
"""What every case takes one place of."""
FIRST = datetime(1, 1, 1, tzinfo=UTC)
"""The turn of a case that lost its authorization: before all others, and among its like in the order of reopening."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """A travel authorization; `last_day` as it was set at `set_at` (pauses since then are the programme's)."""

    last_day: date
    set_at: datetime
    period: str
    extended: bool = False


@dataclass(frozen=True)
class Travel:
    """Whether the case waits for a place or has one, and whether the beneficiary may travel."""

    waitlisted_at: datetime | None = None
    turn_at: datetime | None = None
    """The turn that it had when the case closed, while the case is open again and waits no longer."""
    authorization: Authorization | None = None
    held: bool = False
    passport_unchecked: bool = False
    """A passport changed after authorization, and its validity was not yet judged."""
    used_at: datetime | None = None
    """When the beneficiary arrived and was paroled: what happens to the programme later does not count."""
    lapsed_at: datetime | None = None
    """When the case closed, while it is open again and the authorization has not been given back."""


def waits_for_place(case: Case) -> bool:
    """It is on the waiting list."""
    return not case.closed and case.of(Travel).waitlisted_at is not None


def holds_place(case: Case) -> bool:
    """It has a place that would be free if it closed now."""
    travel = case.of(Travel)
    return travel.authorization is not None and travel.used_at is None and travel.lapsed_at is None


def was_authorized(case: Case) -> bool:
    """It was authorized and nobody has arrived yet, whether it has its place or waits to get it back."""
    travel = case.of(Travel)
    return travel.authorization is not None and travel.used_at is None


def _pauses_that_count(case: Case, programme: Programme) -> tuple[Pause, ...]:
    """The pauses that an authorization knows: what happens to the programme after arrival or closing does not count.

    One that ended in a pause stays without a last day, since none was known then.
    """
    travel = case.of(Travel)
    ended_at = travel.used_at or travel.lapsed_at or case.closed_at
    if ended_at is None:
        return programme.pauses
    return tuple(
        pause if pause.until is None or pause.until <= ended_at else Pause(pause.since, None)
        for pause in programme.pauses
        if pause.since < ended_at
    )


def authorization_last_day(case: Case, programme: Programme, rules: RuleSet) -> date | None:
    """The last day of the travel authorization; None without one, or while it is paused or not given back yet."""
    travel = case.of(Travel)
    if travel.authorization is None or (travel.lapsed_at is not None and not case.closed):
        return None
    return _last_day(travel.authorization, _pauses_that_count(case, programme), rules)


def _last_day(authorization: Authorization, pauses: Iterable[Pause], rules: RuleSet) -> date | None:
    return paused_last_day(authorization.last_day, authorization.set_at, pauses, rules.pause_floor)


def restored_last_day(case: Case, programme: Programme, rules: RuleSet, today: date) -> date:
    """The last day of an authorization that is given back today: so many days as it had left when the case closed.

    The day of closing counts, or that of the suspension in which it closed. Raises `ValueError` where none was lost.
    """
    travel = case.of(Travel)
    if travel.authorization is None or travel.lapsed_at is None:
        raise ValueError("no authorization was lost")
    pauses, counted_from = _pauses_that_count(case, programme), travel.lapsed_at
    last_day = _last_day(travel.authorization, pauses, rules)
    if last_day is None:
        *pauses_before, current = pauses
        counted_from = current.since
        last_day = _last_day(travel.authorization, pauses_before, rules) or day_of(counted_from)
    left = last_day - day_of(counted_from) + timedelta(days=1)
    return today + max(left, rules.pause_floor)


def authorized_until(case: Case, programme: Programme, rules: RuleSet) -> datetime | None:
    """The first instant after the last day of the authorization, in UTC; None without one, or while paused."""
    last_day = authorization_last_day(case, programme, rules)
    return None if last_day is None else end_of(last_day)


def asking_days(case: Case, programme: Programme, rules: RuleSet) -> date | None:
    """The last day as it stands now, in the calendar of the day of suspension while the programme is suspended."""
    if not programme.suspended:
        return authorization_last_day(case, programme, rules)
    before = replace(programme, pauses=programme.pauses[:-1])
    return authorization_last_day(case, before, rules)


def running(case: Case, now: datetime, rules: RuleSet, programme: Programme) -> Iterable[Deadline]:
    """The end of the authorization, and the next month's places for who waits for one."""
    until = authorized_until(case, programme, rules)
    if until is not None and not programme.suspended:
        yield Deadline(until, "authorization")
    if waits_for_place(case) and programme.cap_period == "month":
        yield Deadline(start_of_next_month(now), "month")
