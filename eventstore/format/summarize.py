"""The heads' summaries, from the states: one rule for those who write them and those who verify them."""

from datetime import datetime
from typing import Final

from domain.case import Case
from domain.limits import authorization_last_day, deadlines, parole_last_day
from domain.programme import Programme
from domain.rules.rule_set import RuleSet
from eventstore.places import Pool
from eventstore.summary import CaseSummary, ProgrammeSummary

AIR: Final = "air"
"""The one allotment of an air programme. Each of its cases takes one place of it."""


def summarize(case: Case, programme: Programme, rules: RuleSet, now: datetime) -> CaseSummary:
    """The head's summary of a filed case. Raises ValueError for one that was never filed."""
    if case.filed_at is None or case.since is None:
        raise ValueError("a case that was never filed has no summary")
    due = next(iter(deadlines(case, now, rules, programme)), None)
    return CaseSummary(
        case_id=case.case_id,
        programme=case.programme,
        rules_version=case.rules_version,
        stage=case.stage,
        waiting_on=case.waiting_on,
        since=case.since,
        filed_at=case.filed_at,
        due_name=due.name if due else None,
        due_at=due.at if due else None,
        outcome=case.outcome,
        reason=case.reason,
        work_permit=case.work_permit,
        authorized_last_day=authorization_last_day(case, programme, rules),
        paroled_last_day=parole_last_day(case, programme),
        flags=case.flags,
        closed=case.closed,
        held=case.held or case.travel_held or case.supporter_gone_at is not None,
    )


def summarize_programme(programme: Programme) -> ProgrammeSummary:
    """The head's summary of a programme that was opened. Its one pool has its own name."""
    pool = Pool(
        programme.programme, programme.places, programme.cap_period, named=programme.places_override is not None
    )
    return ProgrammeSummary(
        programme=programme.programme,
        status=programme.status,
        rules_version=programme.rules_version,
        pools={AIR: pool},
    )
