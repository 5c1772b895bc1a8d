"""Cuba, Haiti and Nicaragua: the same family with other rules, as data alone."""

from datetime import date
from typing import Any

import pytest

from domain import registry
from domain.humanitarian_parole.application import Application
from domain.humanitarian_parole.definition import FAMILY
from domain.humanitarian_parole.stages.entry import EntryProofNotRequired
from domain.humanitarian_parole.stages.filing import ApplicationFiled, ApplicationSubmitted
from domain.humanitarian_parole.stages.sponsor import (
    SponsorConfirmationRequested,
    SponsorConfirmed,
    SponsorConfirmedAnswer,
)
from domain.humanitarian_parole.stages.travel import TravelAuthorized
from domain.humanitarian_parole.stages.vetting import VettingCleared, VettingClearedAnswer, VettingRequested
from domain.kernel.case import Case
from domain.kernel.events import CaseClosed, CaseEvent
from domain.kernel.family import ProgrammeDefinition
from domain.kernel.ids import case_id_from_entropy
from domain.kernel.messages import FileApplication
from domain.kernel.proof import claimed
from tests.support.filed import a_beneficiary, a_passport, an_application, an_entry
from tests.support.given import Given, a_world, happened, opened, plus, told

COUNTRIES = {"cuba-air": "CUB", "haiti-air": "HTI", "nicaragua-air": "NIC"}
OPENED = registry.programme("cuba-air").opens_at
FILED_AT = plus(OPENED, days=10)
VENEZUELAN = an_application()


class Elsewhere:
    """Commands to a case of another programme, under its latest set."""

    def __init__(self, programme: str) -> None:
        self.definition: ProgrammeDefinition = registry.programme(programme)
        self.country = COUNTRIES[programme]
        self.rules = self.definition.sets[max(self.definition.sets)]
        self.case_id = case_id_from_entropy(self.definition.prefix, b"the case in question")
        self.around: dict[str, Any] = {"rules": self.rules, "programme": opened(self.rules)}

    def national(self, **changes: object) -> Application:
        """A filing for a national of the programme's country, who never was in Mexico."""
        passport = a_passport(issuing_country=self.country)
        beneficiary = {"nationalities": (self.country,), "passport": passport, "located_in": self.country, **changes}
        return an_application(a_beneficiary(**beneficiary))

    def file(self, application: Application, *then: object) -> Given:
        message = ApplicationSubmitted(application=application)
        command = FileApplication(self.case_id, "supporter", "filing", message, FILED_AT, claimed("supporter"))
        return Given(Case(self.case_id)).when(command, a_world(FILED_AT, **self.around)).then(*then)  # type: ignore[arg-type]  # as `then` takes them


@pytest.fixture(params=COUNTRIES)
def elsewhere(request: pytest.FixtureRequest) -> Elsewhere:
    return Elsewhere(request.param)


def results(event: CaseEvent) -> list[str]:
    assert event.basis is not None
    return [result.rule for result in event.basis.results]


def test_each_has_the_rules_of_the_family_but_for_the_entry_into_mexico(elsewhere: Elsewhere) -> None:
    assert FAMILY.rules.keys() - elsewhere.rules.rules.keys() == {"mexico-entry"}
    assert elsewhere.rules.rules.keys() <= FAMILY.rules.keys()


def test_they_share_one_pool_of_places_with_the_first_programme(elsewhere: Elsewhere) -> None:
    assert elsewhere.rules.caps == registry.programme("venezuela-air").sets["2023-01-06"].caps


def test_a_national_goes_from_filing_to_authorization(elsewhere: Elsewhere) -> None:
    asked = elsewhere.file(elsewhere.national(), ApplicationFiled, SponsorConfirmationRequested)
    assert results(asked.history[1]) == [
        "nationality",
        "sole-nationality",
        "passport-validity",
        "minor-guardian",
        "one-active-case",
        "irregular-entry",
    ]
    confirmed = asked.when(told(SponsorConfirmedAnswer(), plus(FILED_AT, days=3)), **elsewhere.around).then(
        SponsorConfirmed, EntryProofNotRequired, VettingRequested
    )
    authorized = confirmed.when(told(VettingClearedAnswer(), plus(FILED_AT, days=8)), **elsewhere.around).then(
        VettingCleared, TravelAuthorized
    )
    assert (authorized.case.programme, authorized.case.waiting_on) == (elsewhere.definition.id, "arrival")


def test_whoever_is_in_mexico_proves_no_entry(elsewhere: Elsewhere) -> None:
    late = an_entry("2023-01-05T10:00:00-06:00")
    application = elsewhere.national(located_in="MEX").model_copy(update={"entries": (late,)})
    asked = elsewhere.file(application, ApplicationFiled, SponsorConfirmationRequested)

    confirmed = asked.when(told(SponsorConfirmedAnswer(), plus(FILED_AT, days=3)), **elsewhere.around).then(
        SponsorConfirmed, EntryProofNotRequired, VettingRequested
    )
    assert results(confirmed.history[3]) == []


def test_a_venezuelan_is_of_another_nationality(elsewhere: Elsewhere) -> None:
    closed = elsewhere.file(
        VENEZUELAN, ApplicationFiled, happened(CaseClosed, outcome="ineligible", reason="nationality")
    )

    assert closed.case.programme == elsewhere.definition.id
    assert closed.case.rules_version == elsewhere.rules.version


def test_a_national_is_of_another_nationality_in_the_first_programme(elsewhere: Elsewhere) -> None:
    first = registry.programme("venezuela-air").sets["2023-01-06"]
    message = ApplicationSubmitted(application=elsewhere.national())
    command = FileApplication(elsewhere.case_id, "supporter", "filing", message, FILED_AT, claimed("supporter"))

    Given(Case(elsewhere.case_id)).when(command, rules=first, programme=opened(first)).then(
        ApplicationFiled, happened(CaseClosed, outcome="ineligible", reason="nationality")
    )


@pytest.mark.parametrize("issued_by", ["VEN", "the country of the programme"])
def test_no_passport_counts_longer_than_is_printed(elsewhere: Elsewhere, issued_by: str) -> None:
    country = "VEN" if issued_by == "VEN" else elsewhere.country
    passport = a_passport(issuing_country=country, issued_on=date(2017, 3, 1), expires_on=date(2023, 1, 18))

    elsewhere.file(
        elsewhere.national(passport=passport),
        ApplicationFiled,
        happened(CaseClosed, outcome="ineligible", reason="passport-validity"),
    )


@pytest.mark.parametrize(
    ("crossed_at", "last"), [("2023-01-09", SponsorConfirmationRequested), ("2023-01-10", CaseClosed)]
)
def test_an_irregular_entry_counts_after_the_notice_of_these_programmes(
    elsewhere: Elsewhere, crossed_at: str, last: type[CaseEvent]
) -> None:
    entry = an_entry(f"{crossed_at}T12:00:00-05:00", country="PAN", manner="irregular")

    elsewhere.file(elsewhere.national().model_copy(update={"entries": (entry,)}), ApplicationFiled, last)
