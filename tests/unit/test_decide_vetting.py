"""Security vetting and officers: suspicion is looked at by people, and only two of them deny."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from domain.humanitarian_parole.stages.sponsor import SponsorConfirmed, SponsorNeedsReviewAnswer, SponsorWithdrewNotice
from domain.humanitarian_parole.stages.travel import (
    TravelAuthorizationReleased,
    TravelAuthorizationRevoked,
    TravelAuthorized,
)
from domain.humanitarian_parole.stages.vetting import (
    Finding,
    VettingCleared,
    VettingClearedAnswer,
    VettingDenied,
    VettingHitAnswer,
    VettingReferredAnswer,
)
from domain.kernel.events import (
    CaseClosed,
    CaseHeld,
    CaseResumed,
    OfficerDecided,
    OfficerDecisionConfirmed,
    ReferralEscalated,
    ReferredToOfficer,
)
from domain.kernel.messages import OfficerConfirmation, OfficerDecision, ProgrammeChanged
from tests.support.filed import day
from tests.support.given import Given, happened, met, plus, suspended, told
from tests.support.stages import (
    a_changed_passport,
    a_replacement,
    asked_about_entry,
    asked_about_supporter,
    asked_for_vetting,
    authorized,
    closed,
    held_for_passport,
    paroled,
    referred_for_vetting,
)

ESCALATION = day(23)
APPROVED = OfficerDecision(officer="o-1", decision="approve", why="explained")
DENIED = OfficerDecision(officer="o-1", decision="deny", why="the same person")
CONFIRMED = OfficerConfirmation(officer="o-2")


def cleared_with(dated: date) -> VettingClearedAnswer:
    return VettingClearedAnswer(findings=(Finding(kind="removal_order", dated=dated),))


def test_cleared_and_a_place_is_there() -> None:
    asked_for_vetting().when(told(VettingClearedAnswer(), day(8))).then(
        happened(VettingCleared, by_officer=False, findings=()), TravelAuthorized
    )


@pytest.mark.parametrize(
    ("dated", "then"),
    [
        (date(2017, 10, 20), (VettingCleared, TravelAuthorized)),
        (date(2017, 10, 21), (VettingCleared, happened(CaseClosed, outcome="ineligible", reason="removal-order"))),
    ],
)
def test_the_rules_judge_what_vetting_found_without_an_officer(dated: date, then: tuple[Any, ...]) -> None:
    asked_for_vetting().when(told(cleared_with(dated), day(8))).then(*then)


def test_a_removal_order_closes_even_where_no_place_is_free() -> None:
    asked_for_vetting().when(told(cleared_with(date(2020, 1, 1)), day(8)), place="none").then(
        VettingCleared, happened(CaseClosed, reason="removal-order")
    )


def test_a_removal_order_found_after_authorization_revokes() -> None:
    held_for_passport().when(told(cleared_with(date(2020, 1, 1)), day(15))).then(
        VettingCleared,
        happened(TravelAuthorizationRevoked, reason="removal-order"),
        happened(CaseClosed, outcome="revoked", reason="removal-order"),
    )


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        (VettingHitAnswer(kind="name-match"), ("name-match",)),
        (VettingHitAnswer(kind="Nombre parecido"), ("other",)),
        (VettingReferredAnswer(flags=("travel-history", "travel-history")), ("travel-history",)),
        (VettingReferredAnswer(), ()),
    ],
)
def test_a_hit_or_a_referral_is_looked_at_by_an_officer(answer: Any, codes: tuple[str, ...]) -> None:
    then = (
        asked_for_vetting()
        .when(told(answer, day(8)))
        .then(happened(ReferredToOfficer, number=1, question="vetting", codes=codes))
    )

    assert (then.case.waiting_on, then.case.stage) == ("officer", "security_vetting")
    assert then.due(day(8)) == {"referral": ESCALATION}


def test_an_approval_clears_and_not_before() -> None:
    referred_for_vetting().when(told(APPROVED, day(9))).then(
        happened(OfficerDecided, number=1, officer="o-1", decision="approve", why="explained"),
        happened(VettingCleared, by_officer=True),
        TravelAuthorized,
    )


def test_a_denial_waits_for_a_second_officer() -> None:
    denied = referred_for_vetting().when(told(DENIED, day(9))).then(OfficerDecided)
    assert denied.case.waiting_on == "officer"

    denied.when(told(OfficerConfirmation(officer="o-1"), day(10))).then_rejected("same-officer")
    denied.when(told(CONFIRMED, day(10))).then(
        happened(OfficerDecisionConfirmed, number=1, officer="o-2"),
        happened(VettingDenied, number=1),
        happened(CaseClosed, outcome="denied", reason="vetting"),
    )


def test_a_denial_not_yet_confirmed_is_replaced() -> None:
    denied = referred_for_vetting().and_then(told(DENIED, day(9)))

    denied.when(told(OfficerDecision(officer="o-2", decision="approve", why="looked at"), day(10))).then(
        OfficerDecided, VettingCleared, TravelAuthorized
    )
    again = denied.and_then(told(OfficerDecision(officer="o-2", decision="deny", why="looked at"), day(10)))
    again.when(told(CONFIRMED, day(11))).then_rejected("same-officer")
    again.when(told(OfficerConfirmation(officer="o-1"), day(11))).then(
        OfficerDecisionConfirmed, VettingDenied, CaseClosed
    )


def test_nothing_is_confirmed_that_nobody_denied() -> None:
    referred_for_vetting().when(told(CONFIRMED, day(9))).then_rejected("no-denial-to-confirm")
    asked_for_vetting().when(told(CONFIRMED, day(5))).then_rejected("no-open-referral")


@pytest.mark.parametrize("before", [asked_about_supporter, asked_for_vetting, authorized, paroled])
def test_officers_decide_only_what_is_referred(before: Callable[[], Given]) -> None:
    before().when(told(APPROVED, day(40))).then_rejected("no-open-referral")


def test_an_officer_says_which_of_several_referrals_is_answered() -> None:
    gone = referred_for_vetting().and_then(told(SponsorWithdrewNotice(), day(9)))
    both = gone.and_then(told(a_replacement(), day(10))).and_then(told(SponsorNeedsReviewAnswer(), day(11)))
    assert [referral.question for referral in both.case.open_referrals] == ["vetting", "supporter"]

    both.when(told(APPROVED, day(12))).then_rejected("which-referral")
    both.when(told(OfficerConfirmation(officer="o-2"), day(12))).then_rejected("which-referral")
    second = both.when(told(_of(2, APPROVED), day(12))).then(
        happened(OfficerDecided, number=2), happened(SponsorConfirmed, by_officer=True)
    )
    second.when(told(_of(2, APPROVED), day(13))).then_rejected("no-open-referral")
    second.when(told(APPROVED, day(13))).then(happened(OfficerDecided, number=1), VettingCleared, TravelAuthorized)


def _of(number: int, decision: OfficerDecision) -> OfficerDecision:
    return decision.model_copy(update={"referral": number})


@pytest.mark.parametrize("before", [(), (told(DENIED, day(10)),)], ids=["undecided", "a denial not confirmed"])
def test_after_fifteen_days_an_open_referral_escalates_once_and_the_case_waits_on(before: tuple[Any, ...]) -> None:
    referred = referred_for_vetting()
    for command in before:
        referred = referred.and_then(command)
    referred.when(met("referral", plus(ESCALATION, microseconds=-1))).then_nothing()

    escalated = referred.when(met("referral", ESCALATION)).then(happened(ReferralEscalated, number=1, at=ESCALATION))
    assert escalated.case.waiting_on == "officer"
    assert escalated.due(ESCALATION) == {}
    escalated.when(met("referral", ESCALATION)).then_nothing()
    escalated.when(told(APPROVED, day(60))).then(OfficerDecided, VettingCleared, TravelAuthorized)


def test_a_suspension_does_not_keep_a_referral_from_escalating() -> None:
    pause = suspended(day(10))
    assert referred_for_vetting().due(day(11), pause) == {"referral": ESCALATION}

    referred_for_vetting().when(met("referral", ESCALATION), programme=pause).then(ReferralEscalated)


def test_what_officers_decide_in_a_suspension_is_recorded_and_waits() -> None:
    pause, over = suspended(day(8.5)), suspended(day(8.5), day(20))
    approved = referred_for_vetting().when(told(APPROVED, day(9)), programme=pause).then(OfficerDecided, CaseHeld)
    assert (approved.case.waiting_on, approved.due(day(9), pause)) == ("programme", {})
    approved.when(told(ProgrammeChanged(), day(20)), programme=over).then(CaseResumed, VettingCleared, TravelAuthorized)

    denied = referred_for_vetting().when(told(DENIED, day(9)), programme=pause).then(OfficerDecided)
    assert denied.case.waiting_on == "officer"
    confirmed = denied.when(told(CONFIRMED, day(10)), programme=pause).then(OfficerDecisionConfirmed, CaseHeld)
    confirmed.when(told(ProgrammeChanged(), day(20)), programme=over).then(
        CaseResumed, VettingDenied, happened(CaseClosed, outcome="denied")
    )


def test_after_authorization_a_confirmed_denial_revokes() -> None:
    referred = held_for_passport().and_then(told(VettingHitAnswer(), day(12))).and_then(told(DENIED, day(13)))

    referred.when(told(CONFIRMED, day(14))).then(
        OfficerDecisionConfirmed,
        VettingDenied,
        happened(TravelAuthorizationRevoked, reason="vetting"),
        happened(CaseClosed, outcome="revoked", reason="vetting"),
    )


def test_two_referrals_about_vetting_must_both_be_approved() -> None:
    referred = held_for_passport().and_then(told(VettingHitAnswer(), day(12)))
    changed = referred.and_then(told(a_changed_passport(issued_on=date(2022, 10, 1)), day(13)))
    assert changed.case.request_to("vetting") is not None
    both = changed.and_then(told(VettingHitAnswer(), day(14)))

    first = both.when(told(_of(1, APPROVED), day(15))).then(happened(OfficerDecided, number=1))
    assert first.case.waiting_on == "officer"
    first.when(told(APPROVED, day(16))).then(
        happened(OfficerDecided, number=2), VettingCleared, TravelAuthorizationReleased
    )


def test_an_answer_comes_once_and_only_to_who_asked() -> None:
    authorized().when(told(VettingClearedAnswer(), day(9))).then_rejected("no-open-request")
    referred_for_vetting().when(told(VettingClearedAnswer(), day(9))).then_rejected("no-open-request")
    asked_about_entry().when(told(VettingClearedAnswer(), day(4))).then_rejected("no-open-request")
    closed().when(told(VettingClearedAnswer(), day(8))).then_rejected("case-closed")
