"""The rules on who the beneficiary is: nationality, passport, guardian of a minor, one open case."""

from datetime import date

from domain.humanitarian_parole.application import (
    Beneficiary,
    Passport,
)
from domain.humanitarian_parole.stages.filing import Filed, beneficiary_of
from domain.humanitarian_parole.world import World
from domain.kernel.calendar import age_on, day_of, years_after
from domain.kernel.case import Case
from domain.kernel.definition import (
    Stage,
    Words,
    rule,
)
from domain.kernel.events import RuleResult
from domain.kernel.ids import EventId
from domain.kernel.rule_set import RuleParameters


def facts(case: Case) -> tuple[EventId, ...]:
    """The event that says who the beneficiary is now."""
    fact = case.of(Filed).fact
    return () if fact is None else (fact,)


class Nationality(RuleParameters):
    """The nationality that the programme is for."""

    country: str


def nationality(case: Case, world: World) -> RuleResult:
    """A national of the country that the programme is for."""
    country = world.rules.of("nationality", Nationality).country
    national = country in beneficiary_of(case).nationalities
    return RuleResult(
        rule="nationality",
        result="passed" if national else "failed",
        because="national" if national else "not-national",
        facts=facts(case),
    )


class SoleNationality(RuleParameters):
    """The one nationality, and the age from which a child is none that is exempt."""

    country: str
    child_age_years: int


def sole_nationality(case: Case, world: World) -> RuleResult:
    """No other nationality, permanent residence or refugee status elsewhere, save accompanying family."""
    beneficiary, parameters = beneficiary_of(case), world.rules.of("sole-nationality", SoleNationality)
    elsewhere = {*beneficiary.nationalities, *beneficiary.permanent_resident_of, *beneficiary.refugee_in}
    elsewhere -= {parameters.country}
    principal = beneficiary.travels_with.case if beneficiary.travels_with else None
    if not elsewhere:
        because, passed = "no-other-status", True
    elif principal is None:
        because, passed = "status-elsewhere", False
    elif not _exempt_by_relationship(beneficiary, world, parameters):
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


def _exempt_by_relationship(beneficiary: Beneficiary, world: World, parameters: SoleNationality) -> bool:
    if beneficiary.travels_with is None:
        return False
    if beneficiary.travels_with.relationship != "child":
        return True
    return age_on(beneficiary.birth_date, day_of(world.now)) < parameters.child_age_years


PASSPORT_VALIDITY = "passport-validity"


class PassportValidity(RuleParameters):
    """Passports of `country` issued before `reform_on` count longer than is printed; of no country where None."""

    country: str | None = None
    reform_on: date = date.min
    extra_years: int = 0


def counts_until(passport: Passport, parameters: PassportValidity) -> date:
    """The last day on which the passport counts as valid."""
    if passport.issuing_country != parameters.country:
        return passport.extension.expires_on if passport.extension else passport.expires_on
    printed = passport.extension or passport
    if printed.issued_on < parameters.reform_on:
        return years_after(printed.expires_on, parameters.extra_years)
    return printed.expires_on


def passport_validity(case: Case, world: World) -> RuleResult:
    """Valid on the day of decision, its last day included."""
    parameters = world.rules.of(PASSPORT_VALIDITY, PassportValidity)
    valid = day_of(world.now) <= counts_until(beneficiary_of(case).passport, parameters)
    return RuleResult(
        rule=PASSPORT_VALIDITY,
        result="passed" if valid else "failed",
        because="valid" if valid else "no-longer-valid",
        facts=facts(case),
    )


class MinorGuardian(RuleParameters):
    """The age from which somebody is an adult."""

    adult_age_years: int


_SHOWN = {
    ("parent", "birth_certificate"): "parent-with-birth-certificate",
    ("legal_guardian", "court_order"): "guardian-with-court-order",
}


def minor_guardian(case: Case, world: World) -> RuleResult:
    """A minor has a parent with a birth certificate or a legal guardian with a court order."""
    beneficiary = beneficiary_of(case)
    guardian = beneficiary.guardian
    adult_age = world.rules.of("minor-guardian", MinorGuardian).adult_age_years
    if age_on(beneficiary.birth_date, day_of(world.now)) >= adult_age:
        because, passed = "adult", True
    elif guardian is None:
        because, passed = "no-guardian", False
    else:
        shown = _SHOWN.get((guardian.relationship, guardian.evidence))
        because, passed = shown or "guardian-not-shown", shown is not None
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


_BENEFICIARY = "application.beneficiary."

STAGE = Stage(
    name=None,
    rules=(
        rule(
            "nationality",
            Words("nationality", "nacionalidad"),
            {
                "national": Words(
                    "a national of the country that the programme is for", "nacional del país al que va el programa"
                ),
                "not-national": Words(
                    "no national of the country that the programme is for",
                    "no es nacional del país al que va el programa",
                ),
            },
            nationality,
            "filing",
            parameters=Nationality,
            facts=(_BENEFICIARY + "nationalities",),
        ),
        rule(
            "sole-nationality",
            Words("sole nationality", "nacionalidad única"),
            {
                "no-other-status": Words("no status in another country", "sin estatus en otro país"),
                "status-elsewhere": Words("has a status in another country", "tiene estatus en otro país"),
                "child-of-age": Words("the child is of age", "el hijo ya no es menor de la edad exigida"),
                "principal-not-open": Words("the principal's case is not open", "el caso del titular no está abierto"),
                "travels-with-principal": Words("travels with the principal", "viaja con el titular"),
            },
            sole_nationality,
            "filing",
            "authorization",
            parameters=SoleNationality,
            facts=(
                _BENEFICIARY + "nationalities",
                _BENEFICIARY + "permanent_resident_of",
                _BENEFICIARY + "refugee_in",
                _BENEFICIARY + "birth_date",
                _BENEFICIARY + "travels_with",
            ),
        ),
        rule(
            PASSPORT_VALIDITY,
            Words("validity of the passport", "vigencia del pasaporte"),
            {
                "valid": Words("valid on the day of decision", "vigente el día de la decisión"),
                "no-longer-valid": Words("no longer valid on the day of decision", "no vigente el día de la decisión"),
            },
            passport_validity,
            "filing",
            "authorization",
            parameters=PassportValidity,
            facts=(_BENEFICIARY + "passport", "passport"),
        ),
        rule(
            "minor-guardian",
            Words("guardian of a minor", "tutor de un menor"),
            {
                "adult": Words("an adult", "persona adulta"),
                "no-guardian": Words("a minor without guardian", "menor sin tutor"),
                "parent-with-birth-certificate": Words(
                    "a parent, by birth certificate", "padre o madre, con acta de nacimiento"
                ),
                "guardian-with-court-order": Words(
                    "a legal guardian, by court order", "tutor legal, con orden judicial"
                ),
                "guardian-not-shown": Words("the guardian is not shown", "tutoría no acreditada"),
            },
            minor_guardian,
            "filing",
            parameters=MinorGuardian,
            facts=(_BENEFICIARY + "birth_date", _BENEFICIARY + "guardian"),
        ),
        rule(
            "one-active-case",
            Words("one open case a person", "un solo caso abierto por persona"),
            {
                "no-earlier-case-open": Words("no earlier case is open", "sin caso anterior abierto"),
                "earlier-case-open": Words("an earlier case is open", "hay un caso anterior abierto"),
            },
            one_active_case,
            "filing",
        ),
    ),
)
