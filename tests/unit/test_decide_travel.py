"""Travel authorization: a place, the days, an extension, holds, a changed passport, crossings, expiry."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.humanitarian_parole.stages.crossing import IrregularCrossingRecorded, IrregularCrossingReport
from domain.humanitarian_parole.stages.filing import ApplicationWithdrawn, WithdrawalRequest
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmedAnswer
from domain.humanitarian_parole.stages.travel import (
    ExtensionRequest,
    TravelAuthorizationExpired,
    TravelAuthorizationExtended,
    TravelAuthorizationRevoked,
    TravelAuthorized,
    Waitlisted,
)
from domain.humanitarian_parole.stages.vetting import VettingCleared, VettingClearedAnswer
from domain.kernel.events import CaseClosed
from domain.kernel.messages import PlaceOffered, ProgrammeChanged
from tests.support.filed import a_beneficiary, a_passport, an_application, day, travelling_with
from tests.support.given import MONTHLY, Given, happened, met, plus, suspended, told
from tests.support.stages import (
    asked_about_supporter,
    asked_for_vetting,
    authorized,
    closed,
    held_for_passport,
    held_for_supporter,
    paroled,
    waitlisted,
)

LAST_DAY = date(2023, 1, 26)
OVER = datetime(2023, 1, 27, 5, tzinfo=UTC)
CLEARED = told(VettingClearedAnswer(), day(8))


def crossing(crossed_at: str = "2022-10-27T03:00:00-07:00", country: str = "USA") -> IrregularCrossingReport:
    return IrregularCrossingReport(country=country, crossed_at=datetime.fromisoformat(crossed_at))


def ready(**beneficiary: Any) -> Given:
    return asked_for_vetting(an_application(a_beneficiary(**beneficiary)))


def test_an_authorization_ends_with_the_90th_day_after_the_day_of_issue() -> None:
    then = (
        asked_for_vetting()
        .when(CLEARED)
        .then(VettingCleared, happened(TravelAuthorized, last_day=LAST_DAY, period="2022-10"))
    )

    assert then.due(day(8)) == {"authorization": OVER}
    assert (then.case.stage, then.case.waiting_on) == ("travel_authorization", "arrival")


@pytest.mark.parametrize(
    ("issued_at", "last_day"),
    [
        (datetime(2022, 10, 29, 3, 59, 59, tzinfo=UTC), date(2023, 1, 26)),
        (datetime(2022, 10, 29, 4, tzinfo=UTC), date(2023, 1, 27)),
    ],
)
def test_the_day_of_issue_is_a_day_in_new_york(issued_at: datetime, last_day: date) -> None:
    asked_for_vetting().when(told(VettingClearedAnswer(), issued_at)).then(
        VettingCleared, happened(TravelAuthorized, last_day=last_day)
    )


def test_an_authorization_records_the_rules_that_are_judged_again() -> None:
    then = asked_for_vetting().when(CLEARED).then(VettingCleared, TravelAuthorized)

    authorization = then.history[-1]
    assert isinstance(authorization, TravelAuthorized)
    assert authorization.basis is not None
    rules = [result.rule for result in authorization.basis.results]
    assert rules == ["sole-nationality", "passport-validity", "irregular-entry", "removal-order", "vetting"]
    assert authorization.basis.decided_on == date(2022, 10, 28)


def test_without_a_place_the_case_waits_once() -> None:
    then = asked_for_vetting().when(CLEARED, place="none").then(VettingCleared, happened(Waitlisted, at=day(8)))

    assert (then.case.stage, then.case.waiting_on, then.due(day(9))) == ("travel_authorization", "place", {})
    then.when(told(PlaceOffered(), day(9)), place="none").then_nothing()
    then.when(told(ProgrammeChanged(), day(9)), place="none").then_nothing()


def test_a_waiting_case_is_authorized_when_a_place_is_there() -> None:
    waitlisted().when(told(PlaceOffered(), day(30)), place="reserved").then(
        happened(TravelAuthorized, at=day(30), last_day=date(2023, 2, 17), period="2022-11")
    )


@pytest.mark.parametrize(("place", "last"), [("none", Waitlisted), ("free", CaseClosed), ("reserved", CaseClosed)])
def test_validity_is_judged_again_when_a_place_is_there_and_not_before(place: str, last: Any) -> None:
    expired = ready(passport=a_passport(expires_on=date(2022, 10, 27)))

    expired.when(CLEARED, place=place).then(VettingCleared, last)


@pytest.mark.parametrize(
    ("expires_on", "then"),
    [
        (date(2022, 11, 19), TravelAuthorized),
        (date(2022, 11, 18), happened(CaseClosed, outcome="ineligible", reason="passport-validity")),
    ],
)
def test_a_passport_is_valid_on_its_last_day_when_the_place_is_there(expires_on: date, then: Any) -> None:
    waiting = ready(passport=a_passport(expires_on=expires_on)).and_then(CLEARED, place="none")

    waiting.when(told(PlaceOffered(), day(30)), place="reserved").then(then)


@pytest.mark.parametrize(
    ("principal_open", "birth_date", "then"),
    [
        (True, date(2001, 11, 20), TravelAuthorized),
        (True, date(2001, 11, 19), happened(CaseClosed, outcome="ineligible", reason="sole-nationality")),
        (False, date(2001, 11, 20), happened(CaseClosed, outcome="ineligible", reason="sole-nationality")),
    ],
)
def test_the_exemption_of_a_child_is_judged_again(principal_open: bool, birth_date: date, then: Any) -> None:
    child = a_beneficiary(birth_date=birth_date, refugee_in=("PER",), travels_with=travelling_with("child"))
    asked = asked_about_supporter(an_application(child), principal_open=True)
    waiting = asked.and_then(told(SponsorConfirmedAnswer(), day(3))).and_then(CLEARED, place="none")

    waiting.when(told(PlaceOffered(), day(30)), place="reserved", principal_open=principal_open).then(then)


def test_minority_is_not_judged_again() -> None:
    minor = ready(birth_date=date(2004, 10, 20))

    minor.when(CLEARED).then(VettingCleared, TravelAuthorized)


@pytest.mark.parametrize(
    ("asked_at", "then"),
    [(datetime(2022, 12, 28, 4, 59, 59, tzinfo=UTC), True), (datetime(2022, 12, 28, 5, tzinfo=UTC), False)],
    ids=["in the last second of the last asking day", "on the day after"],
)
def test_an_extension_is_asked_for_thirty_days_before_the_last_day(asked_at: datetime, then: bool) -> None:
    when = authorized().when(told(ExtensionRequest(), asked_at))

    if then:
        extended = when.then(happened(TravelAuthorizationExtended, last_day=date(2023, 4, 26)))
        assert extended.due(asked_at) == {"authorization": datetime(2023, 4, 27, 4, tzinfo=UTC)}
    else:
        when.then_rejected("too-late")


def test_an_authorization_is_extended_once() -> None:
    extended = authorized().and_then(told(ExtensionRequest(), day(20)))

    extended.when(told(ExtensionRequest(), day(21))).then_rejected("already-extended")


def test_an_extension_is_for_who_is_authorized_and_has_not_arrived() -> None:
    asked_for_vetting().when(told(ExtensionRequest(), day(5))).then_rejected("not-authorized")
    waitlisted().when(told(ExtensionRequest(), day(9)), place="none").then_rejected("not-authorized")
    paroled().when(told(ExtensionRequest(), day(32))).then_rejected("already-paroled")
    closed().when(told(ExtensionRequest(), day(32))).then_rejected("case-closed")
    held_for_supporter().when(told(ExtensionRequest(), day(20))).then(TravelAuthorizationExtended)


@pytest.mark.parametrize(
    ("since", "code"),
    [(datetime(2022, 12, 27, 17, tzinfo=UTC), None), (datetime(2022, 12, 28, 17, tzinfo=UTC), "too-late")],
)
def test_in_a_suspension_the_asking_days_stand_still(since: datetime, code: str | None) -> None:
    when = authorized().when(told(ExtensionRequest(), plus(since, days=60)), programme=suspended(since))

    if code is None:
        when.then(happened(TravelAuthorizationExtended, last_day=date(2023, 4, 26)))
    else:
        when.then_rejected(code)


@pytest.mark.parametrize(
    ("before", "then"),
    [
        (asked_for_vetting(), (happened(CaseClosed, outcome="ineligible", reason="irregular-entry"),)),
        (waitlisted(), (happened(CaseClosed, outcome="ineligible", reason="irregular-entry"),)),
        (
            authorized(),
            (TravelAuthorizationRevoked, happened(CaseClosed, outcome="revoked", reason="irregular-entry")),
        ),
        (held_for_supporter(), (TravelAuthorizationRevoked, happened(CaseClosed, outcome="revoked"))),
        (paroled(), ()),
    ],
    ids=["being vetted", "waiting", "authorized", "held", "paroled"],
)
def test_a_crossing_makes_ineligible_or_revokes_until_parole(before: Given, then: tuple[Any, ...]) -> None:
    before.when(told(crossing(), day(40)), place="none").then(IrregularCrossingRecorded, *then)


def test_a_crossing_that_the_rules_allow_is_recorded_only() -> None:
    authorized().when(told(crossing("2022-10-19T23:59:59-05:00"), day(9))).then(IrregularCrossingRecorded)
    authorized().when(told(crossing(country="COL"), day(9))).then(IrregularCrossingRecorded)


def test_an_authorization_expires_after_its_last_day() -> None:
    authorized().when(met("authorization", plus(OVER, microseconds=-1))).then_nothing()
    authorized().when(met("authorization", OVER)).then(
        happened(TravelAuthorizationExpired, at=OVER, last_day=LAST_DAY),
        happened(CaseClosed, at=OVER, outcome="expired", reason="authorization-expired"),
    )
    held_for_supporter().when(met("authorization", OVER)).then(TravelAuthorizationExpired, CaseClosed)
    paroled().when(met("authorization", OVER)).then_nothing()


def test_an_expiry_noticed_late_names_the_last_day_that_it_was() -> None:
    authorized().when(met("authorization", plus(OVER, days=3))).then(
        happened(TravelAuthorizationExpired, last_day=LAST_DAY), CaseClosed
    )


@pytest.mark.parametrize("before", [waitlisted(), authorized(), held_for_passport()], ids=["waiting", "ready", "held"])
def test_withdrawal_before_parole_closes(before: Given) -> None:
    before.when(told(WithdrawalRequest(), day(20), "supporter"), place="none").then(
        happened(ApplicationWithdrawn, by="supporter"),
        happened(CaseClosed, outcome="withdrawn", reason="applicant-withdrew"),
    )


def test_after_parole_nobody_withdraws() -> None:
    paroled().when(told(WithdrawalRequest(), day(32))).then_rejected("already-paroled")


def test_a_monthly_cap_lets_a_waiting_case_look_again_when_the_month_begins() -> None:
    november = datetime(2022, 11, 1, 4, tzinfo=UTC)
    assert waitlisted().due(day(9), MONTHLY) == {"month": november}

    waitlisted().when(met("month", november), programme=MONTHLY, place="reserved").then(
        happened(TravelAuthorized, period="2022-11")
    )
    waitlisted().when(met("month", november), programme=MONTHLY, place="none").then_nothing()
