"""The heads' summaries, from the states: one rule for those who write them and those who verify them."""

from datetime import datetime

from domain import registry
from domain.kernel.case import Case
from domain.kernel.decider import deadlines
from domain.kernel.programme import Programme
from domain.kernel.referrals import overdue
from domain.kernel.rule_set import RuleSet
from eventstore.places import Pool
from eventstore.summary import CaseSummary, ProgrammeSummary


def summarize(case: Case, programme: Programme, rules: RuleSet, now: datetime) -> CaseSummary:
    """The head's summary of a filed case. Raises `ValueError` for one that was never filed."""
    if case.filed_at is None or case.since is None:
        raise ValueError("a case that was never filed has no summary")
    family = registry.family_of(case.case_id)
    due = next(iter(deadlines(family, case, now, rules, programme)), None)
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
        flags=case.flags,
        closed=case.closed,
        held=family.on_hold(case),
        facts=dict(family.facts(case, programme, rules)),
        overdue_since=None if case.closed else min((late.at for late in overdue(case, rules)), default=None),
    )


def summarize_programme(programme: Programme) -> ProgrammeSummary:
    """The head's summary of a programme that was opened, with the pool of each of its allotments."""
    return ProgrammeSummary(
        programme=programme.programme,
        status=programme.status,
        rules_version=programme.rules_version,
        pools={
            cap.allotment: Pool(
                cap.pool, programme.places_of(cap), cap.period, named=cap.allotment in programme.places_named
            )
            for cap in programme.rules.caps
        },
    )
