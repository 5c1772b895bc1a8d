"""Filing: what needs only what was filed is judged at once, in the order of the rules, and all of it is recorded."""

from datetime import date
from typing import Any

import pytest

from domain.humanitarian_parole.application import Application
from domain.humanitarian_parole.stages.entry import EntryRefused
from domain.humanitarian_parole.stages.filing import ApplicationFiled, ApplicationSubmitted, WithdrawalRequest
from domain.humanitarian_parole.stages.parole import ArrivalParoled
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmationRequested, SponsorConfirmedAnswer
from domain.kernel.events import CaseClosed, CaseEvent, CaseHeld, CaseResumed
from domain.kernel.messages import ProgrammeChanged
from tests.support.filed import (
    EARLIER,
    FILED_AT,
    PRINCIPAL,
    a_beneficiary,
    a_passport,
    an_application,
    an_entry,
    day,
    in_mexico,
    travelling_with,
)
from tests.support.given import RULES, filing, given, happened, suspended, terminated, told
from tests.support.stages import asked_about_supporter

FILING_RULES = (
    "nationality",
    "sole-nationality",
    "passport-validity",
    "minor-guardian",
    "one-active-case",
    "mexico-entry",
    "irregular-entry",
)


def test_a_filing_that_passes_asks_the_registry() -> None:
    then = (
        given()
        .when(filing())
        .then(
            happened(
                ApplicationFiled, at=FILED_AT, rules_version="2022-10-19", rules_digest=RULES.digest, principal=None
            ),
            SponsorConfirmationRequested,
        )
    )

    assert then.case.waiting_on == "sponsor"
    request = then.history[1]
    assert isinstance(request, SponsorConfirmationRequested)
    assert request.request_id == then.case.requests[0].request_id == f"{then.case.case_id}:2"
    assert request.basis is not None
    assert tuple(result.rule for result in request.basis.results) == FILING_RULES
    assert {result.result for result in request.basis.results} == {"passed"}


@pytest.mark.parametrize(
    ("application", "outcome", "reason"),
    [
        (an_application(a_beneficiary(nationalities=("COL",))), "ineligible", "nationality"),
        (an_application(a_beneficiary(nationalities=("VEN", "ESP"))), "ineligible", "sole-nationality"),
        (
            an_application(a_beneficiary(passport=a_passport(expires_on=date(2022, 10, 19)))),
            "ineligible",
            "passport-validity",
        ),
        (an_application(a_beneficiary(birth_date=date(2010, 1, 1))), "ineligible", "minor-guardian"),
        (
            an_application(entries=(an_entry("2022-10-20T01:00:00-05:00", country="PAN", manner="irregular"),)),
            "ineligible",
            "irregular-entry",
        ),
    ],
)
def test_a_filing_that_fails_closes_by_that_rule(application: Application, outcome: str, reason: str) -> None:
    then = (
        given().when(filing(application)).then(ApplicationFiled, happened(CaseClosed, outcome=outcome, reason=reason))
    )

    closed = then.history[-1]
    assert isinstance(closed, CaseClosed)
    assert closed.basis is not None
    assert next(result.rule for result in closed.basis.results if result.result == "failed") == reason
    assert tuple(result.rule for result in closed.basis.results) == FILING_RULES


def test_the_first_of_several_failures_gives_the_reason_and_all_are_recorded() -> None:
    beneficiary = a_beneficiary(
        nationalities=("VEN", "ESP"), birth_date=date(2010, 1, 1), passport=a_passport(expires_on=date(2022, 1, 1))
    )

    then = (
        given()
        .when(filing(an_application(beneficiary)), same_person=(EARLIER,))
        .then(ApplicationFiled, happened(CaseClosed, reason="sole-nationality"))
    )

    closed = then.history[-1]
    assert isinstance(closed, CaseClosed)
    assert closed.basis is not None
    failed = [result.rule for result in closed.basis.results if result.result == "failed"]
    assert failed == ["sole-nationality", "passport-validity", "minor-guardian", "one-active-case"]


def test_a_second_open_case_of_a_person_is_a_duplicate() -> None:
    given().when(filing(), same_person=(EARLIER,)).then(
        ApplicationFiled, happened(CaseClosed, outcome="duplicate", reason="one-active-case")
    )


def test_a_declared_entry_into_mexico_that_is_too_late_is_refused_at_filing() -> None:
    given().when(filing(in_mexico(an_entry("2022-10-12T00:00:00-05:00")))).then(
        ApplicationFiled, EntryRefused, happened(CaseClosed, outcome="ineligible", reason="mexico-entry")
    )


@pytest.mark.parametrize(("principal_open", "last"), [(True, SponsorConfirmationRequested), (False, CaseClosed)])
def test_family_passes_only_with_an_open_principal(principal_open: bool, last: type[CaseEvent]) -> None:
    spouse = a_beneficiary(nationalities=("VEN", "ESP"), travels_with=travelling_with("spouse"))

    given().when(filing(an_application(spouse)), principal_open=principal_open).then(
        happened(ApplicationFiled, principal=PRINCIPAL), last
    )


def test_a_case_is_filed_once() -> None:
    asked_about_supporter().when(filing(at=day(1))).then_rejected("already-filed")
    message = ApplicationSubmitted(application=an_application())
    asked_about_supporter().when(told(message, day(1))).then_rejected("already-filed")


@pytest.mark.parametrize(
    "message", [WithdrawalRequest(), SponsorConfirmedAnswer(), ArrivalParoled(port="MIA"), ProgrammeChanged()]
)
def test_a_case_that_was_never_filed_takes_nothing_and_records_nothing(message: Any) -> None:
    given().when(told(message, day(1))).then_rejected("not-filed")


def test_in_a_suspension_a_filing_is_recorded_and_judged_when_it_ends() -> None:
    held = given().when(filing(), programme=suspended(day(-1))).then(ApplicationFiled, CaseHeld)
    assert (held.case.stage, held.case.waiting_on) == ("sponsor_confirmation", "programme")

    held.when(told(ProgrammeChanged(), day(9)), programme=suspended(day(-1), day(9))).then(
        CaseResumed, SponsorConfirmationRequested
    )
    held.when(told(ProgrammeChanged(), day(9)), programme=suspended(day(-1), day(9)), same_person=(EARLIER,)).then(
        CaseResumed, happened(CaseClosed, outcome="duplicate")
    )


def test_a_filing_after_termination_closes_at_once() -> None:
    given().when(filing(), programme=terminated(day(-1), date(2023, 1, 31))).then(
        ApplicationFiled, happened(CaseClosed, outcome="terminated", reason="programme-terminated")
    )


def test_a_case_says_since_when_it_is_where_it_is_from_its_first_event_on() -> None:
    filed = given().when(filing()).decision.events[0]

    assert given(filed).case.since == FILED_AT
