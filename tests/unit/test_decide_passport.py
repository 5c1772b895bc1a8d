"""A passport that changes: recorded before authorization, vetted again after it, judged when the hold is released."""

from datetime import date
from typing import Any

import pytest

from domain.humanitarian_parole.stages.filing import application_of, beneficiary_of
from domain.humanitarian_parole.stages.passport import PassportChange, PassportChanged
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmed, SponsorConfirmedAnswer, SponsorWithdrewNotice
from domain.humanitarian_parole.stages.travel import (
    TravelAuthorizationHeld,
    TravelAuthorizationReleased,
    TravelAuthorizationRevoked,
)
from domain.humanitarian_parole.stages.vetting import VettingCleared, VettingClearedAnswer, VettingRequested
from domain.kernel.events import CaseClosed
from tests.support.filed import a_beneficiary, a_passport, an_application, day
from tests.support.given import Given, happened, told
from tests.support.stages import (
    a_changed_passport,
    a_replacement,
    asked_for_vetting,
    authorized,
    closed,
    held_for_passport,
    held_for_supporter,
    paroled,
    waitlisted,
)

CLEARED = told(VettingClearedAnswer(), day(8))


def ready(**beneficiary: Any) -> Given:
    return asked_for_vetting(an_application(a_beneficiary(**beneficiary)))


def test_a_passport_changed_before_authorization_is_only_recorded() -> None:
    asked_for_vetting().when(told(a_changed_passport(), day(5))).then(PassportChanged)
    waitlisted().when(told(a_changed_passport(), day(9)), place="none").then(PassportChanged)


def test_a_passport_changed_after_authorization_is_vetted_at_once_and_released() -> None:
    held = (
        authorized()
        .when(told(a_changed_passport(), day(10)))
        .then(
            happened(PassportChanged, surnames=None),
            happened(TravelAuthorizationHeld, because="passport"),
            VettingRequested,
        )
    )
    assert (held.case.stage, held.case.waiting_on) == ("travel_authorization", "vetting")
    assert held.due(day(10)) == authorized().due(day(10))

    released = held.when(told(VettingClearedAnswer(), day(15))).then(VettingCleared, TravelAuthorizationReleased)
    assert released.case.waiting_on == "arrival"


def test_new_surnames_come_with_a_passport_and_stay_without() -> None:
    changed = PassportChange(passport=a_passport(number="170000001"), surnames="Rojas de Luna")
    renamed = authorized().and_then(told(changed, day(10)))
    assert beneficiary_of(renamed.case).surnames == "Rojas de Luna"

    again = renamed.and_then(told(a_changed_passport(), day(11)))
    assert beneficiary_of(again.case).surnames == "Rojas de Luna"
    assert application_of(again.case).beneficiary.surnames == "Rojas Pérez"


@pytest.mark.parametrize(("expires_on", "released"), [(date(2022, 11, 4), True), (date(2022, 11, 3), False)])
def test_the_new_passport_is_judged_on_the_day_of_release(expires_on: date, released: bool) -> None:
    held = authorized().and_then(told(a_changed_passport(expires_on=expires_on), day(10)))

    when = held.when(told(VettingClearedAnswer(), day(15)))
    if released:
        when.then(VettingCleared, TravelAuthorizationReleased)
    else:
        when.then(
            VettingCleared,
            happened(TravelAuthorizationRevoked, reason="passport-validity"),
            happened(CaseClosed, outcome="revoked", reason="passport-validity"),
        )


def test_a_passport_that_did_not_change_is_not_judged_when_a_supporter_hold_ends() -> None:
    asked = ready(passport=a_passport(expires_on=date(2022, 10, 29))).and_then(CLEARED)
    held = asked.and_then(told(SponsorWithdrewNotice(), day(10))).and_then(told(a_replacement(), day(11)))

    released = held.when(told(SponsorConfirmedAnswer(), day(15))).then(SponsorConfirmed, TravelAuthorizationReleased)

    release = released.history[-1]
    assert isinstance(release, TravelAuthorizationReleased)
    assert release.basis is not None
    assert release.basis.results == ()


def test_in_a_supporter_hold_a_new_passport_is_vetted_at_once() -> None:
    held = held_for_supporter().when(told(a_changed_passport(), day(11))).then(PassportChanged, VettingRequested)
    cleared = held.when(told(VettingClearedAnswer(), day(12))).then(VettingCleared)
    assert cleared.case.waiting_on == "applicant"

    asked = cleared.and_then(told(a_replacement(), day(13)))
    asked.when(told(SponsorConfirmedAnswer(), day(16))).then(SponsorConfirmed, TravelAuthorizationReleased)


def test_an_open_vetting_request_stands_when_the_passport_changes_again() -> None:
    again = held_for_passport().when(told(a_changed_passport(), day(11))).then(PassportChanged)

    again.when(told(VettingClearedAnswer(request_id=again.case.requests[0].request_id), day(12))).then(
        VettingCleared, TravelAuthorizationReleased
    )


def test_a_passport_changes_until_parole() -> None:
    paroled().when(told(a_changed_passport(), day(32))).then_rejected("already-paroled")
    closed().when(told(a_changed_passport(), day(32))).then_rejected("case-closed")
