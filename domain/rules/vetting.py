"""Rules on what vetting found. Suspicion refers to an officer elsewhere; only a finding with a rule denies."""

from domain.calendar import day_of, years_after
from domain.case import Case
from domain.events import RuleResult
from domain.world import World


def removal_order(case: Case, world: World) -> RuleResult:
    """No removal order in the five years before filing; one dated exactly five years before passes."""
    if case.filed_at is None:
        raise ValueError("the case was never filed")
    five_years_before = years_after(day_of(case.filed_at), -world.rules.removal_order_years)
    found = any(finding.dated > five_years_before for finding in case.findings)
    return RuleResult(
        rule="removal-order",
        result="failed" if found else "passed",
        because="ordered-within-years" if found else "none-within-years",
        facts=() if case.vetting_fact is None else (case.vetting_fact,),
    )


def vetting(case: Case, world: World) -> RuleResult:
    """Vetting is cleared."""
    return RuleResult(
        rule="vetting",
        result="passed" if case.vetting_ok else "failed",
        because="cleared" if case.vetting_ok else "not-cleared",
        facts=() if case.vetting_fact is None else (case.vetting_fact,),
    )
