"""The supporter: confirmed, not confirmed, reviewed, withdrawn, replaced."""

from collections.abc import Callable

import pytest

from domain.humanitarian_parole.stages.entry import EntryProofNotRequired
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
    Travel,
    TravelAuthorizationHeld,
    TravelAuthorizationReleased,
    TravelAuthorizationRevoked,
    TravelAuthorized,
    Waitlisted,
)
from domain.humanitarian_parole.stages.vetting import VettingCleared, VettingClearedAnswer, VettingRequested
from domain.kernel.events import CaseClosed, CaseHeld, CaseResumed, OfficerDecided, ReferredToOfficer
from domain.kernel.messages import OfficerDecision, PlaceOffered, ProgrammeChanged
from tests.support.filed import another_supporter, day
from tests.support.given import Given, happened, met, plus, suspended, told
from tests.support.stages import (
    a_replacement,
    asked_about_supporter,
    asked_for_vetting,
    authorized,
    closed,
    held_for_passport,
    held_for_supporter,
    paroled,
    waitlisted,
)

LIMIT = plus(day(10), days=30)


def test_a_confirmed_supporter_lets_the_case_go_on() -> None:
    then = (
        asked_about_supporter()
        .when(told(SponsorConfirmedAnswer(), day(3)), earlier_supporter_cases=18)
        .then(happened(SponsorConfirmed, by_officer=False), EntryProofNotRequired, VettingRequested)
    )

    confirmed = then.history[2]
    assert isinstance(confirmed, SponsorConfirmed)
    assert confirmed.basis is not None
    assert confirmed.basis.known == {"place": "free", "earlier_supporter_cases": 18}
    assert [result.rule for result in confirmed.basis.results] == ["supporter"]


def test_a_supporter_who_is_not_confirmed_closes_the_case() -> None:
    asked_about_supporter().when(told(SponsorNotConfirmedAnswer(why="income"), day(3))).then(
        happened(SponsorNotConfirmed, why="income", by_officer=False),
        happened(CaseClosed, outcome="not_confirmed", reason="supporter"),
    )


def test_the_registry_may_want_a_review() -> None:
    then = (
        asked_about_supporter()
        .when(told(SponsorNeedsReviewAnswer(flags=("income", "Dos casas")), day(3)))
        .then(
            happened(
                ReferredToOfficer,
                number=1,
                question="supporter",
                codes=("income", "other"),
                flags=("income", "Dos casas"),
            )
        )
    )

    assert (then.case.waiting_on, then.case.requests) == ("officer", ())


def test_a_confirmed_supporter_who_stands_out_is_looked_at_by_an_officer() -> None:
    then = (
        asked_about_supporter()
        .when(told(SponsorConfirmedAnswer(), day(3)), earlier_supporter_cases=19, shared_details=("phone",))
        .then(happened(ReferredToOfficer, question="supporter", codes=("many-cases", "shared-phone")))
    )

    approval = OfficerDecision(officer="o-1", decision="approve", why="looked at")
    then.when(told(approval, day(4)), earlier_supporter_cases=19).then(
        OfficerDecided, happened(SponsorConfirmed, by_officer=True), EntryProofNotRequired, VettingRequested
    )


def test_an_answer_belongs_to_its_own_request() -> None:
    asked = asked_about_supporter()
    own = asked.case.requests[0].request_id

    asked.when(told(SponsorConfirmedAnswer(request_id=own), day(3))).then(
        SponsorConfirmed, EntryProofNotRequired, VettingRequested
    )
    asked.when(told(SponsorConfirmedAnswer(request_id="another"), day(3))).then_rejected("answers-another-request")
    asked.when(told(VettingClearedAnswer(), day(3))).then_rejected("no-open-request")


def test_a_withdrawal_voids_the_question_about_the_supporter() -> None:
    asked = asked_about_supporter()
    first = asked.case.requests[0].request_id
    gone = asked.when(told(SponsorWithdrewNotice(), day(1))).then(SponsorWithdrew)
    assert gone.case.waiting_on == "applicant"
    gone.when(told(SponsorConfirmedAnswer(request_id=first), day(3))).then_rejected("no-open-request")

    again = gone.when(told(a_replacement(), day(2))).then(
        happened(SponsorReplaced, supporter=another_supporter()), SponsorConfirmationRequested
    )
    again.when(told(SponsorConfirmedAnswer(request_id=first), day(3))).then_rejected("answers-another-request")
    assert again.case.waiting_on == "sponsor"
    news = again.when(told(SponsorNotConfirmedAnswer(request_id=first), day(3))).then(
        happened(ReferredToOfficer, news=True)
    )
    assert (news.case.waiting_on, news.case.request_to("sponsor_registry") is not None) == ("officer", True)


def test_a_withdrawal_voids_a_referral_about_the_supporter() -> None:
    referred = asked_about_supporter().and_then(told(SponsorNeedsReviewAnswer(), day(3)))
    gone = referred.when(told(SponsorWithdrewNotice(), day(4))).then(SponsorWithdrew)

    gone.when(told(OfficerDecision(officer="o-1", decision="deny", why="looked at"), day(5))).then_rejected(
        "no-open-referral"
    )
    assert "referral" not in gone.due(day(5))


def test_what_was_verified_stays_when_a_supporter_is_replaced() -> None:
    gone = asked_for_vetting().and_then(told(SponsorWithdrewNotice(), day(4)))
    vetted = gone.when(told(VettingClearedAnswer(), day(8))).then(VettingCleared)
    assert vetted.case.waiting_on == "applicant"
    replaced = vetted.and_then(told(a_replacement(), day(9)))

    replaced.when(told(SponsorConfirmedAnswer(), day(12))).then(SponsorConfirmed, TravelAuthorized)


def test_without_a_supporter_nothing_new_is_begun() -> None:
    gone = asked_for_vetting().and_then(told(SponsorWithdrewNotice(), day(4)))

    gone.when(told(VettingClearedAnswer(), day(8))).then(VettingCleared)
    gone.when(told(ProgrammeChanged(), day(8))).then_nothing()


@pytest.mark.parametrize("before", [asked_for_vetting, waitlisted], ids=["while vetted", "while waiting"])
def test_before_authorization_a_supporter_nobody_replaces_closes_the_case(before: Callable[[], Given]) -> None:
    gone = before().and_then(told(SponsorWithdrewNotice(), day(10)), place="none")
    assert gone.due(day(10))["supporter"] == LIMIT

    gone.when(met("supporter", LIMIT)).then(
        happened(CaseClosed, at=LIMIT, outcome="not_confirmed", reason="supporter-withdrew")
    )


def test_after_authorization_a_supporter_nobody_replaces_revokes() -> None:
    held_for_supporter().when(met("supporter", LIMIT)).then(
        happened(TravelAuthorizationRevoked, reason="supporter-withdrew"),
        happened(CaseClosed, outcome="revoked", reason="supporter-withdrew"),
    )


def test_a_limit_that_is_not_over_does_nothing() -> None:
    held_for_supporter().when(met("supporter", plus(LIMIT, microseconds=-1))).then_nothing()
    authorized().when(met("supporter", LIMIT)).then_nothing()


def test_after_authorization_a_withdrawal_holds_and_a_confirmed_new_supporter_releases() -> None:
    held = (
        authorized()
        .when(told(SponsorWithdrewNotice(), day(10)))
        .then(SponsorWithdrew, happened(TravelAuthorizationHeld, because="supporter"))
    )
    assert held.case.waiting_on == "applicant"
    asked = held.when(told(a_replacement(), day(12))).then(SponsorReplaced, SponsorConfirmationRequested)
    released = asked.when(told(SponsorConfirmedAnswer(), day(13))).then(SponsorConfirmed, TravelAuthorizationReleased)
    assert released.case.waiting_on == "arrival"
    assert released.due(day(13)) == authorized().due(day(13))


def test_after_authorization_a_new_supporter_who_is_not_confirmed_revokes() -> None:
    asked = held_for_supporter().and_then(told(a_replacement(), day(12)))

    asked.when(told(SponsorNotConfirmedAnswer(), day(13))).then(
        SponsorNotConfirmed,
        happened(TravelAuthorizationRevoked, reason="supporter"),
        happened(CaseClosed, outcome="revoked", reason="supporter"),
    )


def test_an_authorization_is_held_once_until_it_is_released() -> None:
    held_for_passport().when(told(SponsorWithdrewNotice(), day(11))).then(SponsorWithdrew)
    held_for_supporter().and_then(told(a_replacement(), day(11))).when(told(SponsorWithdrewNotice(), day(12))).then(
        SponsorWithdrew
    )


def test_a_supporter_withdraws_once_until_replaced() -> None:
    gone = asked_for_vetting().and_then(told(SponsorWithdrewNotice(), day(4)))

    gone.when(told(SponsorWithdrewNotice(), day(5))).then_rejected("no-supporter")
    gone.and_then(told(a_replacement(), day(5))).when(told(SponsorWithdrewNotice(), day(6))).then(SponsorWithdrew)


def test_a_supporter_is_replaced_only_after_one_withdrew() -> None:
    asked_for_vetting().when(told(a_replacement(), day(4))).then_rejected("no-supporter-wanted")
    closed().when(told(a_replacement(), day(6))).then_rejected("case-closed")


def test_after_parole_a_withdrawal_is_recorded_and_has_no_effect() -> None:
    then = paroled().when(told(SponsorWithdrewNotice(), day(40))).then(SponsorWithdrew)

    assert then.case.waiting_on == "parole_end"
    assert then.due(day(40)) == paroled().due(day(40))
    then.when(told(SponsorWithdrewNotice(), day(41))).then_rejected("no-supporter")
    then.when(told(a_replacement(), day(41))).then_rejected("no-supporter-wanted")


def test_a_waiting_case_whose_supporter_withdraws_is_ready_anew_once_confirmed() -> None:
    gone = waitlisted().when(told(SponsorWithdrewNotice(), day(10)), place="none").then(SponsorWithdrew)
    assert (gone.case.of(Travel).waitlisted_at, gone.case.waiting_on) == (None, "applicant")
    gone.when(told(PlaceOffered(), day(11)), place="reserved").then_nothing()

    asked = gone.and_then(told(a_replacement(), day(12)), place="none")
    then = asked.when(told(SponsorConfirmedAnswer(), day(15)), place="none").then(SponsorConfirmed, Waitlisted)
    assert then.case.of(Travel).waitlisted_at == day(15)


def test_an_answer_about_a_supporter_who_left_in_a_suspension_never_takes_effect() -> None:
    pause = suspended(day(1))
    held = (
        asked_about_supporter()
        .when(told(SponsorNotConfirmedAnswer(), day(3)), programme=pause)
        .then(happened(CaseHeld, partner="sponsor_registry"))
    )
    gone = held.when(told(SponsorWithdrewNotice(), day(4)), programme=pause).then(SponsorWithdrew)

    gone.when(told(ProgrammeChanged(), day(9)), programme=suspended(day(1), day(9))).then(CaseResumed)
