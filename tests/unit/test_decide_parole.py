"""From arrival to the end of parole: parole, the work permit, the notice, the end, and termination."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.humanitarian_parole.stages.parole import (
    ArrivalParoled,
    Parole,
    ParoleEnded,
    ParoleEnding,
    ParoleGranted,
    WorkPermitApplication,
    WorkPermitApplied,
    WorkPermitEligible,
    WorkPermitEligibleAnswer,
    WorkPermitIneligible,
    WorkPermitIneligibleAnswer,
)
from domain.humanitarian_parole.stages.travel import ArrivalRefused, ParoleRefused, Travel
from domain.humanitarian_parole.stages.vetting import VettingClearedAnswer, VettingHitAnswer
from domain.kernel.events import CaseClosed
from domain.kernel.messages import OfficerDecision, ProgrammeChanged
from tests.support.filed import day
from tests.support.given import Given, happened, met, plus, suspended, terminated, told
from tests.support.stages import (
    a_replacement,
    asked_about_supporter,
    asked_for_evidence,
    asked_for_vetting,
    authorized,
    closed,
    held_for_passport,
    held_for_supporter,
    paroled,
    waitlisted,
)

ARRIVAL = ArrivalParoled(port="MIA")
LAST_DAY = date(2024, 11, 19)
NOTICE = datetime(2024, 8, 21, 4, tzinfo=UTC)
END = datetime(2024, 11, 20, 5, tzinfo=UTC)


def paroled_until(until: date) -> Given:
    return authorized().and_then(told(ArrivalParoled(port="MIA", until=until), day(31)))


@pytest.mark.parametrize("before", [authorized(), held_for_supporter(), held_for_passport()])
@pytest.mark.parametrize("programme", [None, suspended(day(20))], ids=["open", "suspended"])
def test_who_is_authorized_arrives_held_or_suspended_too(before: Given, programme: Any) -> None:
    changes = {} if programme is None else {"programme": programme}

    then = before.when(told(ARRIVAL, day(31)), **changes).then(
        happened(ParoleGranted, port="MIA", paroled_on=date(2022, 11, 20), last_day=LAST_DAY)
    )

    assert (then.case.stage, then.case.waiting_on) == ("work_permit_eligibility", "parole_end")
    assert then.due(day(31)) == {"parole-notice": NOTICE, "parole-end": END}


def test_the_border_may_grant_parole_until_another_day() -> None:
    then = (
        authorized()
        .when(told(ArrivalParoled(port="MIA", until=date(2023, 6, 30)), day(31)))
        .then(happened(ParoleGranted, last_day=date(2023, 6, 30)))
    )

    assert then.due(day(31))["parole-end"] == datetime(2023, 7, 1, 4, tzinfo=UTC)


def test_arrival_ends_requests_referrals_and_holds() -> None:
    arrived = held_for_passport().and_then(told(ARRIVAL, day(31)))
    arrived.when(told(VettingClearedAnswer(), day(32))).then_rejected("no-open-request")

    referred = held_for_passport().and_then(told(VettingHitAnswer(), day(12))).and_then(told(ARRIVAL, day(13)))
    referred.when(told(OfficerDecision(officer="o-1", decision="deny", why="looked at"), day(14))).then_rejected(
        "no-open-referral"
    )
    assert "referral" not in referred.due(day(14))

    held = held_for_supporter().and_then(told(ARRIVAL, day(13)))
    assert "supporter" not in held.due(day(14))
    assert not held.case.of(Travel).held
    held.when(told(a_replacement(), day(14))).then_rejected("no-supporter-wanted")


@pytest.mark.parametrize("message", [ARRIVAL, ArrivalRefused(port="MIA")], ids=["paroled", "refused"])
def test_nobody_arrives_before_authorization_or_twice(message: Any) -> None:
    for before in (asked_about_supporter(), asked_for_evidence(), waitlisted()):
        before.when(told(message, day(9)), place="none").then_rejected("not-authorized")
    paroled().when(told(message, day(32))).then_rejected("already-paroled")
    closed().when(told(message, day(32))).then_rejected("case-closed")


@pytest.mark.parametrize("programme", [None, suspended(day(20))], ids=["open", "suspended"])
def test_a_refusal_at_the_port_closes_at_once(programme: Any) -> None:
    changes = {} if programme is None else {"programme": programme}

    authorized().when(told(ArrivalRefused(port="JFK", why="no address"), day(31)), **changes).then(
        happened(ParoleRefused, port="JFK", why="no address"),
        happened(CaseClosed, outcome="refused_at_port", reason="port-of-entry"),
    )


def test_a_work_permit_is_asked_for_once_after_parole() -> None:
    for before in (asked_for_vetting(), authorized()):
        before.when(told(WorkPermitApplication(), day(20)), place="none").then_rejected("not-paroled")
    applied = paroled().when(told(WorkPermitApplication(), day(40))).then(WorkPermitApplied)
    assert (applied.case.waiting_on, applied.case.of(Parole).work_permit) == ("work_permit_office", "applied")
    applied.when(told(WorkPermitApplication(), day(41))).then_rejected("already-applied")

    answered = applied.when(told(WorkPermitEligibleAnswer(), day(70))).then(WorkPermitEligible)
    assert (answered.case.waiting_on, answered.case.of(Parole).work_permit) == ("parole_end", "eligible")
    answered.when(told(WorkPermitApplication(), day(71))).then_rejected("already-applied")
    answered.when(told(WorkPermitIneligibleAnswer(), day(71))).then_rejected("no-open-request")


def test_a_permit_refused_ends_no_parole() -> None:
    applied = paroled().and_then(told(WorkPermitApplication(), day(40)))

    then = applied.when(told(WorkPermitIneligibleAnswer(why="category"), day(70))).then(
        happened(WorkPermitIneligible, why="category")
    )
    assert (then.case.outcome, then.case.of(Parole).work_permit, then.case.waiting_on) == (
        None,
        "ineligible",
        "parole_end",
    )


def test_a_suspension_does_not_touch_the_paroled() -> None:
    pause = suspended(day(35))
    applied = paroled().when(told(WorkPermitApplication(), day(40)), programme=pause).then(WorkPermitApplied)

    applied.when(told(WorkPermitEligibleAnswer(), day(70)), programme=pause).then(WorkPermitEligible)
    assert paroled().due(day(40), pause) == {"parole-notice": NOTICE, "parole-end": END}
    noticed = paroled().when(met("parole-notice", NOTICE), programme=pause).then(ParoleEnding)
    noticed.when(met("parole-end", END), programme=pause).then(ParoleEnded, CaseClosed)


def test_the_notice_comes_at_the_start_of_the_90th_day_before_the_last() -> None:
    paroled().when(met("parole-notice", plus(NOTICE, microseconds=-1))).then_nothing()
    noticed = paroled().when(met("parole-notice", NOTICE)).then(happened(ParoleEnding, at=NOTICE, last_day=LAST_DAY))

    assert noticed.due(NOTICE) == {"parole-end": END}
    noticed.when(met("parole-notice", NOTICE)).then_nothing()


@pytest.mark.parametrize(
    ("until", "at_once"),
    [(date(2023, 2, 19), False), (date(2023, 2, 18), True), (date(2022, 11, 20), True), (date(2022, 11, 1), True)],
    ids=["91 days", "90 days", "the same day", "a day that is over"],
)
def test_with_fewer_than_ninety_days_left_the_notice_comes_at_once(until: date, at_once: bool) -> None:
    short = paroled_until(until)

    assert (short.due(day(31))["parole-notice"] <= day(31)) is at_once


def test_a_day_that_is_over_ends_parole_with_its_notice() -> None:
    short = paroled_until(date(2022, 11, 1))

    noticed = short.when(met("parole-notice", short.due(day(31))["parole-notice"])).then(
        happened(ParoleEnding, at=day(31))
    )
    noticed.when(met("parole-end", noticed.due(day(31))["parole-end"])).then(ParoleEnded, CaseClosed)


def test_parole_to_the_end_of_the_calendar_has_its_limits_like_any_other() -> None:
    assert paroled_until(date.max).due(day(31))["parole-notice"] > day(31)
    assert set(paroled_until(date.min).due(day(31))) == {"parole-notice", "parole-end"}


def test_parole_runs_to_the_end_of_its_last_day_and_completes_the_case() -> None:
    noticed = paroled().and_then(met("parole-notice", NOTICE))

    noticed.when(met("parole-end", plus(END, microseconds=-1))).then_nothing()
    ended = noticed.when(met("parole-end", END)).then(
        happened(ParoleEnded, at=END, last_day=LAST_DAY),
        happened(CaseClosed, at=END, outcome="completed", reason=None),
    )
    ended.when(met("parole-end", END)).then_nothing()


@pytest.mark.parametrize(
    "before",
    [asked_about_supporter(), asked_for_evidence(), waitlisted(), authorized(), held_for_supporter()],
    ids=["supporter", "evidence", "waiting", "authorized", "held"],
)
def test_termination_closes_who_is_not_yet_paroled(before: Given) -> None:
    before.when(told(ProgrammeChanged(), day(20)), programme=terminated(day(20), date(2023, 1, 31))).then(
        happened(CaseClosed, outcome="terminated", reason="programme-terminated")
    )


def test_termination_does_not_wait_for_a_suspension_to_end() -> None:
    held = asked_for_vetting().and_then(told(VettingClearedAnswer(), day(8)), programme=suspended(day(5)))

    held.when(told(ProgrammeChanged(), day(20)), programme=terminated(day(20), date(2023, 1, 31))).then(
        happened(CaseClosed, outcome="terminated")
    )


@pytest.mark.parametrize(
    ("parole_ends_on", "end"),
    [
        (date(2023, 1, 31), datetime(2023, 2, 1, 5, tzinfo=UTC)),
        (date(2030, 1, 1), END),
    ],
    ids=["earlier than granted", "later than granted"],
)
def test_termination_ends_parole_on_its_day_at_the_latest(parole_ends_on: date, end: datetime) -> None:
    over = terminated(day(40), parole_ends_on)
    paroled().when(told(ProgrammeChanged(), day(40)), programme=over).then_nothing()

    noticed = paroled().and_then(met("parole-notice", paroled().due(day(40), over)["parole-notice"]), programme=over)
    assert noticed.due(day(40), over) == {"parole-end": end}
    noticed.when(met("parole-end", end), programme=over).then(
        ParoleEnded, happened(CaseClosed, outcome="completed", reason=None)
    )


def test_a_notice_that_named_a_later_day_is_given_anew() -> None:
    over = terminated(plus(NOTICE, days=1), date(2024, 9, 30))
    noticed = paroled().and_then(met("parole-notice", NOTICE))

    due = noticed.due(plus(NOTICE, days=1), over)
    assert due["parole-notice"] <= plus(NOTICE, days=1)
    noticed.when(met("parole-notice", due["parole-notice"]), programme=over).then(
        happened(ParoleEnding, last_day=date(2024, 9, 30))
    )
