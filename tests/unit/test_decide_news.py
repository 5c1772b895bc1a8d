"""News: a partner that has answered speaks again, and what it had said counts no more until officers have approved."""

from typing import Any

import pytest

from domain.humanitarian_parole.stages.entry import (
    EntryMatchedAnswer,
    EntryMismatchAnswer,
    EntryNotFoundAnswer,
    EntryVerified,
)
from domain.humanitarian_parole.stages.sponsor import (
    SponsorConfirmed,
    SponsorNeedsReviewAnswer,
    SponsorNotConfirmed,
    SponsorNotConfirmedAnswer,
    SponsorWithdrew,
)
from domain.humanitarian_parole.stages.travel import (
    TravelAuthorizationHeld,
    TravelAuthorizationReleased,
    TravelAuthorizationRevoked,
)
from domain.humanitarian_parole.stages.vetting import (
    VettingCleared,
    VettingClearedAnswer,
    VettingDenied,
    VettingHitAnswer,
    VettingReferredAnswer,
    VettingRequested,
)
from domain.kernel.events import CaseClosed, CaseEvent, OfficerDecided, OfficerDecisionConfirmed, ReferredToOfficer
from domain.kernel.messages import OfficerConfirmation, OfficerDecision
from tests.support.filed import day, in_mexico
from tests.support.given import Given, happened, told
from tests.support.stages import a_replacement, asked_about_entry, asked_for_vetting, authorized, waitlisted

APPROVAL = OfficerDecision(officer="o-1", decision="approve", why="seen")
DENIAL = OfficerDecision(officer="o-1", decision="deny", why="seen")
SECOND = OfficerConfirmation(officer="o-2")


def authorized_in_mexico() -> Given:
    vetted = asked_for_vetting(in_mexico()).and_then(told(EntryMismatchAnswer(), day(4)))
    approved = vetted.and_then(told(APPROVAL, day(4.5)))
    return approved.and_then(told(VettingClearedAnswer(), day(8)))


@pytest.mark.parametrize(
    ("news", "question", "anew", "denied"),
    [
        (SponsorNotConfirmedAnswer(why="means"), "supporter", SponsorConfirmed, SponsorNotConfirmed),
        (SponsorNeedsReviewAnswer(flags=("income",)), "supporter", SponsorConfirmed, SponsorNotConfirmed),
        (VettingReferredAnswer(flags=("alias",)), "vetting", VettingCleared, VettingDenied),
        (VettingHitAnswer(kind="name-match"), "vetting", VettingCleared, VettingDenied),
    ],
    ids=lambda each: getattr(each, "message", ""),
)
def test_news_holds_an_authorization_until_an_officer_approves_or_two_deny(
    news: Any, question: str, anew: type[CaseEvent], denied: type[CaseEvent]
) -> None:
    held = (
        authorized()
        .when(told(news, day(10)))
        .then(
            happened(TravelAuthorizationHeld, because=question),
            happened(ReferredToOfficer, question=question, news=True),
        )
    )

    assert held.case.waiting_on == "officer"
    held.when(told(APPROVAL, day(11))).then(OfficerDecided, anew, TravelAuthorizationReleased)
    once = held.and_then(told(DENIAL, day(11)))
    once.when(told(SECOND, day(12))).then(
        OfficerDecisionConfirmed,
        denied,
        happened(TravelAuthorizationRevoked, reason=question),
        happened(CaseClosed, outcome="revoked", reason=question, referral=1),
    )


@pytest.mark.parametrize("news", [EntryNotFoundAnswer(), EntryMismatchAnswer(fields=("name",))])
def test_news_of_the_records_holds_too(news: Any) -> None:
    held = (
        authorized_in_mexico()
        .when(told(news, day(10)))
        .then(happened(TravelAuthorizationHeld, because="mexico-entry"), happened(ReferredToOfficer, number=2))
    )
    held.when(told(APPROVAL, day(11))).then(OfficerDecided, EntryVerified, TravelAuthorizationReleased)


def test_a_denial_says_by_which_rule_and_why() -> None:
    denied = authorized().and_then(told(VettingHitAnswer(), day(10))).and_then(told(DENIAL, day(11)))
    closed = denied.and_then(told(SECOND, day(12))).history[-1]

    assert isinstance(closed, CaseClosed)
    assert closed.basis is not None
    assert [(r.rule, r.result, r.because) for r in closed.basis.results] == [("vetting", "failed", "officer-denied")]


def test_a_supporter_who_died_is_as_one_who_withdrew() -> None:
    died = told(SponsorNotConfirmedAnswer(why="deceased"), day(10))
    gone = authorized().when(died).then(SponsorWithdrew, happened(TravelAuthorizationHeld, because="supporter"))

    assert (gone.case.waiting_on, gone.due(day(10))["supporter"]) == ("applicant", day(40))
    gone.when(told(SponsorNeedsReviewAnswer(), day(11))).then_rejected("no-supporter")
    assert gone.and_then(told(a_replacement(), day(11))).case.waiting_on == "sponsor"


def test_a_case_on_the_waiting_list_waits_for_the_officer_and_keeps_its_turn() -> None:
    doubted = waitlisted().when(told(VettingHitAnswer(), day(10)), place="none").then(ReferredToOfficer)

    assert doubted.case.waiting_on == "officer"
    approved = doubted.when(told(APPROVAL, day(11)), place="none").then(OfficerDecided, VettingCleared)
    assert approved.case.waiting_on == "place"


def test_while_a_referral_is_open_an_answer_is_taken_and_no_step_follows() -> None:
    doubted = asked_about_entry().when(told(SponsorNeedsReviewAnswer(), day(3.5))).then(ReferredToOfficer)
    verified = doubted.when(told(EntryMatchedAnswer(), day(4))).then(EntryVerified)

    assert verified.case.waiting_on == "officer"
    verified.when(told(APPROVAL, day(5))).then(OfficerDecided, SponsorConfirmed, VettingRequested)
