"""Rules on who the beneficiary is: nationality, sole nationality, guardian of a minor, one open case."""

from domain.application import Beneficiary
from domain.calendar import age_on, day_of
from domain.case import Case
from domain.events import RuleResult
from domain.ids import EventId
from domain.world import World


def facts(case: Case) -> tuple[EventId, ...]:
    """The event that says who the beneficiary is now."""
    return () if case.beneficiary_fact is None else (case.beneficiary_fact,)


def nationality(case: Case, world: World) -> RuleResult:
    """Venezuelan."""
    venezuelan = "VEN" in case.require_beneficiary().nationalities
    return RuleResult(
        rule="nationality",
        result="passed" if venezuelan else "failed",
        because="venezuelan" if venezuelan else "not-venezuelan",
        facts=facts(case),
    )


def sole_nationality(case: Case, world: World) -> RuleResult:
    """No other nationality, permanent residence or refugee status elsewhere, save accompanying family."""
    beneficiary = case.require_beneficiary()
    elsewhere = {*beneficiary.nationalities, *beneficiary.permanent_resident_of, *beneficiary.refugee_in} - {"VEN"}
    principal = beneficiary.travels_with.case if beneficiary.travels_with else None
    if not elsewhere:
        because, passed = "no-other-status", True
    elif principal is None:
        because, passed = "status-elsewhere", False
    elif not _exempt_by_relationship(beneficiary, world):
        because, passed = "child-of-age", False
    elif not world.principal_open or principal == case.case_id:
        because, passed = "principal-not-open", False
    else:
        because, passed = "travels-with-principal", True
    return RuleResult(
        rule="sole-nationality",
        result="passed" if passed else "failed",
        because=because,
        facts=facts(case),
        cases=(principal,) if elsewhere and principal else (),
    )


def _exempt_by_relationship(beneficiary: Beneficiary, world: World) -> bool:
    if beneficiary.travels_with is None:
        return False
    if beneficiary.travels_with.relationship != "child":
        return True
    return age_on(beneficiary.birth_date, day_of(world.now)) < world.rules.child_age_years


def minor_guardian(case: Case, world: World) -> RuleResult:
    """A minor has a parent with a birth certificate or a legal guardian with a court order."""
    beneficiary = case.require_beneficiary()
    guardian = beneficiary.guardian
    if age_on(beneficiary.birth_date, day_of(world.now)) >= world.rules.adult_age_years:
        because, passed = "adult", True
    elif guardian is None:
        because, passed = "no-guardian", False
    elif (guardian.relationship, guardian.evidence) == ("parent", "birth_certificate"):
        because, passed = "parent-with-birth-certificate", True
    elif (guardian.relationship, guardian.evidence) == ("legal_guardian", "court_order"):
        because, passed = "guardian-with-court-order", True
    else:
        because, passed = "guardian-not-shown", False
    return RuleResult(
        rule="minor-guardian", result="passed" if passed else "failed", because=because, facts=facts(case)
    )


def one_active_case(case: Case, world: World) -> RuleResult:
    """No open case of the same person was filed before this one."""
    return RuleResult(
        rule="one-active-case",
        result="failed" if world.same_person else "passed",
        because="earlier-case-open" if world.same_person else "no-earlier-case-open",
        facts=facts(case),
        cases=world.same_person,
    )
