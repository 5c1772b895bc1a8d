"""When a case's limits end: its deadlines, the last moment of its authorization, the last day of its parole."""

from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from domain.calendar import days_after, end_of, start_of, start_of_next_month
from domain.case import Case
from domain.pauses import Pause, paused_due, paused_last_day
from domain.programme import Programme
from domain.rules.rule_set import RuleSet
from domain.vocabulary import DeadlineName


class Deadline(NamedTuple):
    """A limit and the moment it is over; a message received at that very moment is late."""

    at: datetime
    name: DeadlineName


def _pauses_that_count(case: Case, programme: Programme) -> tuple[Pause, ...]:
    """The pauses that an authorization knows: what happens to the programme after arrival or closing does not count.

    One that ended in a pause stays without a last day, since none was known then.
    """
    ended_at = case.parole.granted_at if case.parole else case.closed_at
    if ended_at is None:
        return programme.pauses
    return tuple(
        pause if pause.until is None or pause.until <= ended_at else Pause(pause.since, None)
        for pause in programme.pauses
        if pause.since < ended_at
    )


def authorization_last_day(case: Case, programme: Programme, rules: RuleSet) -> date | None:
    """The last day of the travel authorization; None without one, or while it is paused."""
    if case.authorization is None:
        return None
    pauses = _pauses_that_count(case, programme)
    return paused_last_day(case.authorization.last_day, case.authorization.set_at, pauses, rules.pause_floor)


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


def parole_last_day(case: Case, programme: Programme) -> date | None:
    """The last day of parole: as granted, or the day a terminated programme ends it, whichever is earlier."""
    if case.parole is None:
        return None
    if programme.parole_ends_on is None or case.closed:
        return case.parole.last_day
    return min(case.parole.last_day, programme.parole_ends_on)


def deadlines(case: Case, now: datetime, rules: RuleSet, programme: Programme) -> tuple[Deadline, ...]:
    """The limits of an open case that are running, the first to end first."""
    if case.closed or not case.filed:
        return ()
    if case.parole:
        return _parole_deadlines(case, rules, programme)
    found = [
        Deadline(referral.since + rules.referral_limit, "referral")
        for referral in case.open_referrals
        if not referral.escalated
    ]
    if not programme.suspended:
        found.extend(_pausable(case, rules, programme))
    if case.waitlisted_at and programme.cap_period == "month":
        found.append(Deadline(start_of_next_month(now), "month"))
    return tuple(sorted(found, key=lambda deadline: deadline.at))


def _pausable(case: Case, rules: RuleSet, programme: Programme) -> list[Deadline]:
    limits: list[tuple[datetime | None, DeadlineName]] = []
    if case.evidence_since:
        due = paused_due(case.evidence_since, rules.evidence_limit, programme.pauses, rules.pause_floor)
        limits.append((due, "evidence"))
    if case.supporter_gone_at:
        due = paused_due(case.supporter_gone_at, rules.supporter_limit, programme.pauses, rules.pause_floor)
        limits.append((due, "supporter"))
    limits.append((authorized_until(case, programme, rules), "authorization"))
    return [Deadline(at, name) for at, name in limits if at is not None]


def _parole_deadlines(case: Case, rules: RuleSet, programme: Programme) -> tuple[Deadline, ...]:
    last_day = parole_last_day(case, programme)
    if case.parole is None or last_day is None:
        return ()
    end = Deadline(end_of(last_day), "parole-end")
    if case.parole.notified is not None and case.parole.notified <= last_day:
        return (end,)
    notice_at = start_of(days_after(last_day, -rules.parole_notice_days))
    return (Deadline(min(notice_at, end.at), "parole-notice"), end)
