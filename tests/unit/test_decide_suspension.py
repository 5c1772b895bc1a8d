"""While the programme is suspended messages are taken and nothing is decided; when it resumes nothing is lost."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from domain.humanitarian_parole.stages.crossing import IrregularCrossingRecorded, IrregularCrossingReport
from domain.humanitarian_parole.stages.entry import EntryProofNotRequired
from domain.humanitarian_parole.stages.filing import ApplicationWithdrawn, WithdrawalRequest
from domain.humanitarian_parole.stages.parole import ArrivalParoled, ParoleGranted
from domain.humanitarian_parole.stages.passport import PassportChanged
from domain.humanitarian_parole.stages.sponsor import (
    SponsorConfirmationRequested,
    SponsorConfirmed,
    SponsorConfirmedAnswer,
    SponsorNeedsReviewAnswer,
    SponsorNotConfirmed,
    SponsorNotConfirmedAnswer,
    SponsorReplaced,
    SponsorWithdrew,
    SponsorWithdrewNotice,
)
from domain.humanitarian_parole.stages.travel import (
    ArrivalRefused,
    ExtensionRequest,
    ParoleRefused,
    TravelAuthorizationExtended,
    TravelAuthorizationHeld,
    TravelAuthorizationReleased,
    TravelAuthorizationRevoked,
    TravelAuthorized,
    Waitlisted,
)
from domain.humanitarian_parole.stages.vetting import (
    Finding,
    VettingCleared,
    VettingClearedAnswer,
    VettingHitAnswer,
    VettingReferredAnswer,
    VettingRequested,
)
from domain.kernel.events import CaseClosed, CaseEvent, CaseHeld, CaseResumed, OfficerDecided, ReferredToOfficer
from domain.kernel.messages import OfficerDecision, PlaceOffered, ProgrammeChanged
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
RESUMED = told(ProgrammeChanged(), day(60))
CROSSING = IrregularCrossingReport(country="PAN", crossed_at=datetime.fromisoformat("2022-10-25T12:00:00-05:00"))
REMOVAL = Finding(kind="removal_order", dated=date(2020, 1, 1))


@pytest.mark.parametrize(
    ("before", "answer", "then"),
    [
        (
            asked_about_supporter,
            SponsorConfirmedAnswer(),
            (SponsorConfirmed, EntryProofNotRequired, VettingRequested),
        ),
        (asked_about_supporter, SponsorNotConfirmedAnswer(), (SponsorNotConfirmed, CaseClosed)),
        (asked_about_supporter, SponsorNeedsReviewAnswer(), (ReferredToOfficer,)),
        (asked_for_vetting, VettingClearedAnswer(), (VettingCleared, TravelAuthorized)),
        (asked_for_vetting, VettingClearedAnswer(findings=(REMOVAL,)), (VettingCleared, CaseClosed)),
        (asked_for_vetting, VettingReferredAnswer(flags=("x",)), (ReferredToOfficer,)),
        (asked_for_vetting, VettingHitAnswer(), (ReferredToOfficer,)),
        (held_for_passport, VettingClearedAnswer(), (VettingCleared, TravelAuthorizationReleased)),
    ],
)
def test_a_partners_answer_is_taken_and_takes_effect_on_resumption(
    before: Callable[[], Given], answer: Any, then: tuple[type[CaseEvent], ...]
) -> None:
    held = before().when(told(answer, day(20)), programme=PAUSE).then(happened(CaseHeld, at=day(20)))

    assert (held.case.waiting_on, held.case.requests) == ("programme", ())
    favourable = told(SponsorConfirmedAnswer() if before is asked_about_supporter else VettingClearedAnswer(), day(21))
    held.when(favourable, programme=PAUSE).then_rejected("no-open-request")
    held.when(RESUMED, programme=OVER).then(happened(CaseResumed, at=day(60)), *then)


@pytest.mark.parametrize(
    ("before", "message", "recorded", "then"),
    [
        (asked_for_vetting, CROSSING, (IrregularCrossingRecorded,), (CaseClosed,)),
        (authorized, CROSSING, (IrregularCrossingRecorded,), (TravelAuthorizationRevoked, CaseClosed)),
        (authorized, a_changed_passport(), (PassportChanged, TravelAuthorizationHeld), (VettingRequested,)),
        (held_for_supporter, a_replacement(), (SponsorReplaced,), (SponsorConfirmationRequested,)),
        (
            referred_for_vetting,
            OfficerDecision(officer="o-1", decision="approve", why="looked at"),
            (OfficerDecided,),
            (VettingCleared, TravelAuthorized),
        ),
    ],
)
def test_what_is_reported_is_recorded_and_what_follows_waits(
    before: Callable[[], Given],
    message: Any,
    recorded: tuple[type[CaseEvent], ...],
    then: tuple[type[CaseEvent], ...],
) -> None:
    held = before().when(told(message, day(20)), programme=PAUSE).then(*recorded, happened(CaseHeld, answer=None))

    assert held.case.waiting_on == "programme"
    held.when(RESUMED, programme=OVER).then(CaseResumed, *then)


@pytest.mark.parametrize(
    ("before", "message", "recorded"),
    [
        (authorized, ExtensionRequest(), (TravelAuthorizationExtended,)),
        (authorized, SponsorWithdrewNotice(), (SponsorWithdrew, TravelAuthorizationHeld)),
        (asked_for_vetting, SponsorWithdrewNotice(), (SponsorWithdrew,)),
        (asked_for_vetting, a_changed_passport(), (PassportChanged,)),
        (referred_for_vetting, OfficerDecision(officer="o-1", decision="deny", why="looked at"), (OfficerDecided,)),
    ],
)
def test_what_leads_to_no_next_step_holds_no_case(
    before: Callable[[], Given], message: Any, recorded: tuple[type[CaseEvent], ...]
) -> None:
    then = before().when(told(message, day(20)), programme=PAUSE).then(*recorded)

    assert not then.case.held
    then.when(RESUMED, programme=OVER).then_nothing()


@pytest.mark.parametrize(
    "before", [asked_about_supporter, asked_for_vetting, authorized, waitlisted, held_for_supporter]
)
def test_a_case_without_a_next_step_records_neither_hold_nor_resumption(before: Callable[[], Given]) -> None:
    before().when(told(ProgrammeChanged(), day(20)), programme=PAUSE, place="none").then_nothing()
    before().when(RESUMED, programme=OVER, place="none").then_nothing()


def test_a_place_that_is_there_waits_too() -> None:
    held = waitlisted().when(told(PlaceOffered(), day(20)), programme=PAUSE, place="reserved").then(CaseHeld)

    held.when(told(PlaceOffered(), day(21)), programme=PAUSE, place="reserved").then_nothing()
    held.when(RESUMED, programme=OVER, place="reserved").then(CaseResumed, TravelAuthorized)
    held.when(RESUMED, programme=OVER, place="none").then(CaseResumed)


def test_a_case_that_gets_no_place_is_waitlisted_on_resumption() -> None:
    held = asked_for_vetting().when(told(VettingClearedAnswer(), day(20)), programme=PAUSE, place="none").then(CaseHeld)

    held.when(RESUMED, programme=OVER, place="none").then(CaseResumed, VettingCleared, happened(Waitlisted, at=day(60)))


def test_an_answer_from_before_the_passport_changed_again_is_not_used() -> None:
    held = held_for_passport().and_then(told(VettingClearedAnswer(), day(20)), programme=PAUSE)
    changed = held.when(told(a_changed_passport(), day(21)), programme=PAUSE).then(PassportChanged)

    changed.when(RESUMED, programme=OVER).then(CaseResumed, VettingRequested)


def test_answers_take_effect_in_the_order_they_came() -> None:
    both_asked = (
        held_for_passport().and_then(told(SponsorWithdrewNotice(), day(11))).and_then(told(a_replacement(), day(12)))
    )
    first = both_asked.and_then(told(SponsorConfirmedAnswer(), day(20)), programme=PAUSE)
    second = first.and_then(told(VettingClearedAnswer(), day(21)), programme=PAUSE)

    second.when(RESUMED, programme=OVER).then(
        CaseResumed, SponsorConfirmed, VettingCleared, TravelAuthorizationReleased
    )


def test_arrivals_and_withdrawals_take_effect_at_once_though_the_case_is_held() -> None:
    held = held_for_passport().and_then(told(VettingHitAnswer(), day(20)), programme=PAUSE)

    arrived = held.when(told(ArrivalParoled(port="MIA"), day(21)), programme=PAUSE).then(ParoleGranted)
    assert arrived.case.waiting_on == "parole_end"
    arrived.when(RESUMED, programme=OVER).then_nothing()
    held.when(told(WithdrawalRequest(), day(21)), programme=PAUSE).then(ApplicationWithdrawn, CaseClosed)
    held.when(told(ArrivalRefused(port="MIA"), day(21)), programme=PAUSE).then(ParoleRefused, CaseClosed)


def test_a_suspension_again_holds_again() -> None:
    held = asked_about_supporter().and_then(told(SponsorConfirmedAnswer(), day(3)), programme=PAUSE)
    resumed = held.and_then(RESUMED, programme=OVER)
    again = suspended(day(61), None, *OVER.pauses)

    resumed.when(told(VettingClearedAnswer(), day(62)), programme=again).then(CaseHeld)
