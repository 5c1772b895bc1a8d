"""While the programme is suspended messages are taken and nothing is decided; when it resumes nothing is lost."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from domain import events as e
from domain import messages as m
from tests.support.filed import day
from tests.support.given import Given, happened, suspended, told
from tests.support.stages import (
    a_changed_passport,
    a_replacement,
    asked_about_supporter,
    asked_for_vetting,
    authorized,
    held_for_passport,
    held_for_supporter,
    referred_for_vetting,
    waitlisted,
)

PAUSE, OVER = suspended(day(2)), suspended(day(2), day(60))
RESUMED = told(m.ProgrammeChanged(), day(60))
CROSSING = m.IrregularCrossingReport(country="PAN", crossed_at=datetime.fromisoformat("2022-10-25T12:00:00-05:00"))
REMOVAL = m.Finding(kind="removal_order", dated=date(2020, 1, 1))


@pytest.mark.parametrize(
    ("before", "answer", "then"),
    [
        (
            asked_about_supporter,
            m.SponsorConfirmedAnswer(),
            (e.SponsorConfirmed, e.EntryProofNotRequired, e.VettingRequested),
        ),
        (asked_about_supporter, m.SponsorNotConfirmedAnswer(), (e.SponsorNotConfirmed, e.CaseClosed)),
        (asked_about_supporter, m.SponsorNeedsReviewAnswer(), (e.ReferredToOfficer,)),
        (asked_for_vetting, m.VettingClearedAnswer(), (e.VettingCleared, e.TravelAuthorized)),
        (asked_for_vetting, m.VettingClearedAnswer(findings=(REMOVAL,)), (e.VettingCleared, e.CaseClosed)),
        (asked_for_vetting, m.VettingReferredAnswer(flags=("x",)), (e.ReferredToOfficer,)),
        (asked_for_vetting, m.VettingHitAnswer(), (e.ReferredToOfficer,)),
        (held_for_passport, m.VettingClearedAnswer(), (e.VettingCleared, e.TravelAuthorizationReleased)),
    ],
)
def test_a_partners_answer_is_taken_and_takes_effect_on_resumption(
    before: Callable[[], Given], answer: Any, then: tuple[type[e.CaseEvent], ...]
) -> None:
    held = before().when(told(answer, day(20)), programme=PAUSE).then(happened(e.CaseHeld, at=day(20)))

    assert (held.case.waiting_on, held.case.requests) == ("programme", ())
    held.when(told(answer, day(21)), programme=PAUSE).then_rejected("no-open-request")
    held.when(RESUMED, programme=OVER).then(happened(e.CaseResumed, at=day(60)), *then)


@pytest.mark.parametrize(
    ("before", "message", "recorded", "then"),
    [
        (asked_for_vetting, CROSSING, (e.IrregularCrossingRecorded,), (e.CaseClosed,)),
        (authorized, CROSSING, (e.IrregularCrossingRecorded,), (e.TravelAuthorizationRevoked, e.CaseClosed)),
        (authorized, a_changed_passport(), (e.PassportChanged, e.TravelAuthorizationHeld), (e.VettingRequested,)),
        (held_for_supporter, a_replacement(), (e.SponsorReplaced,), (e.SponsorConfirmationRequested,)),
        (
            referred_for_vetting,
            m.OfficerDecision(officer="o-1", decision="approve"),
            (e.OfficerDecided,),
            (e.VettingCleared, e.TravelAuthorized),
        ),
    ],
)
def test_what_is_reported_is_recorded_and_what_follows_waits(
    before: Callable[[], Given],
    message: Any,
    recorded: tuple[type[e.CaseEvent], ...],
    then: tuple[type[e.CaseEvent], ...],
) -> None:
    held = before().when(told(message, day(20)), programme=PAUSE).then(*recorded, happened(e.CaseHeld, answer=None))

    assert held.case.waiting_on == "programme"
    held.when(RESUMED, programme=OVER).then(e.CaseResumed, *then)


@pytest.mark.parametrize(
    ("before", "message", "recorded"),
    [
        (authorized, m.ExtensionRequest(), (e.TravelAuthorizationExtended,)),
        (authorized, m.SponsorWithdrewNotice(), (e.SponsorWithdrew, e.TravelAuthorizationHeld)),
        (asked_for_vetting, m.SponsorWithdrewNotice(), (e.SponsorWithdrew,)),
        (asked_for_vetting, a_changed_passport(), (e.PassportChanged,)),
        (referred_for_vetting, m.OfficerDecision(officer="o-1", decision="deny"), (e.OfficerDecided,)),
    ],
)
def test_what_leads_to_no_next_step_holds_no_case(
    before: Callable[[], Given], message: Any, recorded: tuple[type[e.CaseEvent], ...]
) -> None:
    then = before().when(told(message, day(20)), programme=PAUSE).then(*recorded)

    assert not then.case.held
    then.when(RESUMED, programme=OVER).then_nothing()


@pytest.mark.parametrize(
    "before", [asked_about_supporter, asked_for_vetting, authorized, waitlisted, held_for_supporter]
)
def test_a_case_without_a_next_step_records_neither_hold_nor_resumption(before: Callable[[], Given]) -> None:
    before().when(told(m.ProgrammeChanged(), day(20)), programme=PAUSE, place="none").then_nothing()
    before().when(RESUMED, programme=OVER, place="none").then_nothing()


def test_a_place_that_is_there_waits_too() -> None:
    held = waitlisted().when(told(m.PlaceOffered(), day(20)), programme=PAUSE, place="reserved").then(e.CaseHeld)

    held.when(told(m.PlaceOffered(), day(21)), programme=PAUSE, place="reserved").then_nothing()
    held.when(RESUMED, programme=OVER, place="reserved").then(e.CaseResumed, e.TravelAuthorized)
    held.when(RESUMED, programme=OVER, place="none").then(e.CaseResumed)


def test_a_case_that_gets_no_place_is_waitlisted_on_resumption() -> None:
    held = (
        asked_for_vetting()
        .when(told(m.VettingClearedAnswer(), day(20)), programme=PAUSE, place="none")
        .then(e.CaseHeld)
    )

    held.when(RESUMED, programme=OVER, place="none").then(
        e.CaseResumed, e.VettingCleared, happened(e.Waitlisted, at=day(60))
    )


def test_an_answer_from_before_the_passport_changed_again_is_not_used() -> None:
    held = held_for_passport().and_then(told(m.VettingClearedAnswer(), day(20)), programme=PAUSE)
    changed = held.when(told(a_changed_passport(), day(21)), programme=PAUSE).then(e.PassportChanged)

    changed.when(RESUMED, programme=OVER).then(e.CaseResumed, e.VettingRequested)


def test_answers_take_effect_in_the_order_they_came() -> None:
    both_asked = (
        held_for_passport().and_then(told(m.SponsorWithdrewNotice(), day(11))).and_then(told(a_replacement(), day(12)))
    )
    first = both_asked.and_then(told(m.SponsorConfirmedAnswer(), day(20)), programme=PAUSE)
    second = first.and_then(told(m.VettingClearedAnswer(), day(21)), programme=PAUSE)

    second.when(RESUMED, programme=OVER).then(
        e.CaseResumed, e.SponsorConfirmed, e.VettingCleared, e.TravelAuthorizationReleased
    )


def test_arrivals_and_withdrawals_take_effect_at_once_though_the_case_is_held() -> None:
    held = held_for_passport().and_then(told(m.VettingHitAnswer(), day(20)), programme=PAUSE)

    arrived = held.when(told(m.ArrivalParoled(port="MIA"), day(21)), programme=PAUSE).then(e.ParoleGranted)
    assert arrived.case.waiting_on == "parole_end"
    arrived.when(RESUMED, programme=OVER).then_nothing()
    held.when(told(m.WithdrawalRequest(), day(21)), programme=PAUSE).then(e.ApplicationWithdrawn, e.CaseClosed)
    held.when(told(m.ArrivalRefused(port="MIA"), day(21)), programme=PAUSE).then(e.ParoleRefused, e.CaseClosed)


def test_a_suspension_again_holds_again() -> None:
    held = asked_about_supporter().and_then(told(m.SponsorConfirmedAnswer(), day(3)), programme=PAUSE)
    resumed = held.and_then(RESUMED, programme=OVER)
    again = suspended(day(61), None, *OVER.pauses)

    resumed.when(told(m.VettingClearedAnswer(), day(62)), programme=again).then(e.CaseHeld)
