"""Taking back: what a sender retracts counts nowhere, a denial can be undone, and a case opens again where it stood."""

from datetime import date, datetime

import pytest

from domain.humanitarian_parole.case import may_travel
from domain.humanitarian_parole.stages.crossing import IrregularCrossingReport
from domain.humanitarian_parole.stages.entry import EntryCheckRequested, EntryNotFoundAnswer
from domain.humanitarian_parole.stages.retraction import FactRetraction
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmationRequested, SponsorNotConfirmedAnswer
from domain.humanitarian_parole.stages.travel import (
    ArrivalRefused,
    TravelAuthorizationReleased,
    TravelAuthorizationRestored,
    Waitlisted,
)
from domain.humanitarian_parole.stages.travel.state import FIRST
from domain.humanitarian_parole.stages.vetting import VettingCleared, VettingHitAnswer, VettingRequested
from domain.kernel.events import CaseReopened, FactRetracted, ReconsiderationRequested
from domain.kernel.messages import (
    Message,
    OfficerConfirmation,
    OfficerDecision,
    OfficerReconsideration,
    ProgrammeChanged,
    TakeMessage,
)
from tests.support.filed import CASE, day
from tests.support.given import OPEN, RULES, Given, happened, suspended, terminated, told
from tests.support.stages import (
    asked_about_entry,
    asked_about_supporter,
    asked_for_evidence,
    asked_for_vetting,
    authorized,
    paroled,
    referred_for_vetting,
)

CROSSING = IrregularCrossingReport(country="PAN", crossed_at=datetime.fromisoformat("2022-11-01T08:00:00-05:00"))
LAST_DAY = date(2023, 1, 26)
"""Of an authorization of day 8, 28 October; on day 20, 9 November, it has 79 days left, that day counted."""


def back(fact: TakeMessage, at: datetime, source: str | None = None) -> TakeMessage:
    """Its sender takes `fact` back."""
    return told(FactRetraction(of=fact.message_id), at, source or fact.source)


def after(before: Given, message: Message, at: datetime) -> tuple[Given, TakeMessage]:
    """The case once it took the message, and the command by which it did."""
    fact = told(message, at)
    return before.and_then(fact), fact


def test_a_revoked_authorization_comes_back_with_the_days_that_it_had_left() -> None:
    revoked, fact = after(authorized(), CROSSING, day(20))

    restored = revoked.when(back(fact, day(25))).then(
        happened(FactRetracted, of=fact.message_id, reopens=True),
        CaseReopened,
        happened(TravelAuthorizationRestored, last_day=date(2023, 2, 1), period="2022-11"),
    )
    assert (restored.case.stage, restored.case.waiting_on) == ("travel_authorization", "arrival")
    restored.when(back(fact, day(26))).then_rejected("already-retracted")


def test_an_authorization_that_comes_back_has_seven_days_at_least() -> None:
    refused, fact = after(authorized(), ArrivalRefused(port="MIA"), day(97.5))
    assert refused.case.outcome == "refused_at_port"

    refused.when(back(fact, day(130))).then(
        FactRetracted, CaseReopened, happened(TravelAuthorizationRestored, last_day=date(2023, 3, 6))
    )


def test_without_a_place_it_is_first_on_the_list_and_nobody_boards() -> None:
    revoked, fact = after(authorized(), CROSSING, day(20))
    waiting = revoked.when(back(fact, day(25)), place="none").then(
        FactRetracted, CaseReopened, happened(Waitlisted, turn_at=FIRST)
    )

    assert waiting.case.waiting_on == "place"
    assert may_travel(waiting.case, OPEN, RULES, day(26)) == "held"
    assert "authorization" not in waiting.due(day(26))
    waiting.when(told(ProgrammeChanged(), day(30)), place="reserved").then(TravelAuthorizationRestored)


@pytest.mark.parametrize("source", ["vetting", "sponsor_registry"])
def test_only_the_sender_takes_a_fact_back(source: str) -> None:
    revoked, fact = after(authorized(), CROSSING, day(20))
    revoked.when(back(fact, day(21), source)).then_rejected("not-yours")
    revoked.when(told(FactRetraction(of="m-99"), day(21), "border")).then_rejected("unknown-fact")


def test_an_open_referral_is_void_and_a_first_answer_is_asked_again() -> None:
    referred, fact = after(asked_for_vetting(), VettingHitAnswer(kind="name-match"), day(8))

    again = referred.when(back(fact, day(9))).then(FactRetracted, VettingRequested)
    assert (again.case.waiting_on, again.case.flags, again.case.open_referrals) == ("vetting", (), ())
    once = referred.and_then(told(OfficerDecision(officer="o-1", decision="approve", why="seen"), day(9)), place="none")
    once.when(back(fact, day(10)), place="none").then(FactRetracted)


def test_news_that_is_taken_back_lets_what_was_cleared_count_again() -> None:
    held, fact = after(authorized(), VettingHitAnswer(), day(10))
    held.when(back(fact, day(11))).then(FactRetracted, TravelAuthorizationReleased)

    both, other = after(held, VettingHitAnswer(), day(12))
    half = both.and_then(told(OfficerDecision(officer="o-1", decision="approve", why="seen", referral=1), day(13)))
    half.when(back(other, day(14))).then(FactRetracted, VettingCleared, TravelAuthorizationReleased)


def test_a_first_answer_that_closed_the_case_is_asked_again() -> None:
    closed, fact = after(asked_about_supporter(), SponsorNotConfirmedAnswer(why="means"), day(3))
    closed.when(back(fact, day(5))).then(FactRetracted, CaseReopened, SponsorConfirmationRequested)


def test_a_limit_that_a_fact_began_closed_the_case() -> None:
    asked, fact = after(asked_about_entry(), EntryNotFoundAnswer(), day(4))
    void = asked.when(back(fact, day(5))).then(FactRetracted, EntryCheckRequested)
    assert "evidence" not in void.due(day(5))


def test_a_limit_goes_on_with_what_it_had_left() -> None:
    closed, fact = after(asked_for_evidence(), CROSSING, day(24))
    reopened = closed.when(back(fact, day(50))).then(FactRetracted, CaseReopened)

    assert reopened.due(day(50))["evidence"] == day(60)


def test_a_case_opens_again_when_the_programme_resumes() -> None:
    revoked, fact = after(authorized(), CROSSING, day(20))
    pause, over = suspended(day(22)), suspended(day(22), day(30))

    waits = revoked.when(back(fact, day(25)), programme=pause).then(happened(FactRetracted, reopens=True))
    waits.when(told(ProgrammeChanged(), day(30)), programme=over).then(CaseReopened, TravelAuthorizationRestored)
    waits.when(told(ProgrammeChanged(), day(30)), programme=over, same_person=("VEN-7Q4K-M2XS",)).then_nothing()


def test_only_the_reopening_is_refused() -> None:
    revoked, fact = after(authorized(), CROSSING, day(20))

    revoked.when(back(fact, day(25)), programme=terminated(day(22), date(2023, 1, 31))).then(
        happened(FactRetracted, reopens=False)
    )
    revoked.when(back(fact, day(25)), same_person=("VEN-7Q4K-M2XS",)).then(happened(FactRetracted, reopens=False))


def test_in_a_paroled_case_a_retraction_is_recorded_only() -> None:
    late, fact = after(paroled(), CROSSING, day(40))
    late.when(back(fact, day(41))).then(FactRetracted)


def denied() -> Given:
    """Denied by o-1 and o-2 before authorization."""
    once = referred_for_vetting().and_then(told(OfficerDecision(officer="o-1", decision="deny", why="seen"), day(9)))
    return once.and_then(told(OfficerConfirmation(officer="o-2"), day(10)))


@pytest.mark.parametrize("officer", ["o-1", "o-2"])
def test_who_took_part_can_neither_ask_for_redress_nor_confirm_it(officer: str) -> None:
    denied().when(told(OfficerReconsideration(officer=officer, why="seen"), day(12))).then_rejected("same-officer")
    asked = denied().and_then(told(OfficerReconsideration(officer="o-3", why="seen"), day(12)))
    for same in (officer, "o-3"):
        asked.when(told(OfficerConfirmation(officer=same), day(13))).then_rejected("same-officer")


def test_a_denial_is_undone_by_two_others_and_its_question_counts_as_approved() -> None:
    denied().when(told(OfficerReconsideration(officer="o-3", why=" "), day(12))).then_rejected("no-reason")
    asked = (
        denied()
        .when(told(OfficerReconsideration(officer="o-3", why="seen"), day(12)))
        .then(happened(ReconsiderationRequested, number=1, officer="o-3"))
    )

    asked.when(told(OfficerReconsideration(officer="o-4", why="seen"), day(13))).then_rejected("already-reconsidered")
    reopened = asked.when(told(OfficerConfirmation(officer="o-4"), day(13)), place="none").then(
        happened(CaseReopened, referral=1, officer="o-3", second_officer="o-4"),
        happened(VettingCleared, by_officer=True),
        Waitlisted,
    )
    assert reopened.case.case_id == CASE
    assert reopened.case.outcome is None


def test_a_redress_that_may_not_open_the_case_is_recorded_and_may_be_asked_for_again() -> None:
    asked = denied().and_then(told(OfficerReconsideration(officer="o-3", why="seen"), day(12)))
    refused = asked.when(told(OfficerConfirmation(officer="o-4"), day(13)), same_person=("VEN-7Q4K-M2XS",)).then(
        happened(ReconsiderationRequested, second_officer="o-4", reopens=False)
    )
    refused.when(told(OfficerReconsideration(officer="o-3", why="seen"), day(14))).then(ReconsiderationRequested)


def test_only_a_denial_is_reconsidered() -> None:
    referred_for_vetting().when(told(OfficerReconsideration(officer="o-3", why="seen"), day(9))).then_rejected(
        "case-open"
    )
    revoked, _ = after(authorized(), CROSSING, day(20))
    revoked.when(told(OfficerReconsideration(officer="o-3", why="seen"), day(21))).then_rejected("case-closed")
