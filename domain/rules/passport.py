"""Passport validity: how long a passport counts, which for a Venezuelan one is not what is printed."""

from datetime import date

from domain.application import Passport
from domain.calendar import day_of, years_after
from domain.case import Case
from domain.events import RuleResult
from domain.rules.beneficiary import facts
from domain.rules.rule_set import RuleSet
from domain.world import World


def counts_until(passport: Passport, rules: RuleSet) -> date:
    """The last day on which the passport counts as valid."""
    if passport.issuing_country != "VEN":
        return passport.extension.expires_on if passport.extension else passport.expires_on
    if passport.extension is not None:
        extension = passport.extension
        before_reform = extension.issued_on < rules.passport_reform_on
        return years_after(extension.expires_on, rules.passport_extra_years) if before_reform else extension.expires_on
    if passport.issued_on < rules.passport_reform_on:
        return years_after(passport.expires_on, rules.passport_extra_years)
    return passport.expires_on


def passport_validity(case: Case, world: World) -> RuleResult:
    """Valid on the day of decision, its last day included."""
    valid = day_of(world.now) <= counts_until(case.require_beneficiary().passport, world.rules)
    return RuleResult(
        rule="passport-validity",
        result="passed" if valid else "failed",
        because="valid" if valid else "no-longer-valid",
        facts=facts(case),
    )
