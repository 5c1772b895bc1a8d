"""What events make of a case: one handler each, nothing judged, nothing that fails on a stored history."""

from typing import get_type_hints

import pytest

from domain.humanitarian_parole.definition import FAMILY
from domain.humanitarian_parole.stages.filing import WithdrawalRequest
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmedAnswer
from domain.humanitarian_parole.stages.vetting import VettingHitAnswer
from domain.kernel.case import Case
from domain.kernel.decider import evolve, fold
from domain.kernel.definition import EventDefinition
from domain.kernel.events import CaseEvent, CaseHeld, PersonalDataErased
from domain.kernel.messages import OfficerConfirmation, OfficerDecision
from tests.support.filed import CASE, FILED_AT, day
from tests.support.given import Given, met, suspended, told
from tests.support.stages import (
    asked_about_supporter,
    asked_for_evidence,
    authorized,
    held_for_passport,
    held_for_supporter,
    paroled,
    referred_for_vetting,
    waitlisted,
)

ERASED = PersonalDataErased(at=day(900), first_officer="o-1", second_officer="o-2", because="retention-over")


HANDLED = tuple(event for stage in FAMILY.stages for event in stage.events)


def test_every_event_of_a_case_has_its_handler() -> None:
    ours = {event for event in CaseEvent.__subclasses__() if event.__module__.startswith("domain.")}

    assert set(FAMILY.handlers) == ours


@pytest.mark.parametrize("event", HANDLED, ids=lambda event: event.kind.__name__)
def test_a_handler_takes_the_event_it_stands_under(event: EventDefinition) -> None:
    assert get_type_hints(event.evolve).get("event", CaseEvent) in (event.kind, CaseEvent)


def test_another_event_is_a_fault() -> None:
    with pytest.raises(TypeError, match="not an event of a case"):
        evolve(FAMILY, Case(CASE), CaseEvent(at=FILED_AT))


def test_each_event_is_one_version() -> None:
    history = paroled().history

    for number in range(1, len(history) + 1):
        assert fold(FAMILY, Case(CASE), history[:number]).version == number


def test_since_moves_with_the_stage_and_with_whom_the_case_waits_on() -> None:
    asked = asked_about_supporter()
    assert asked.case.since == FILED_AT
    rejected = asked.when(told(OfficerConfirmation(officer="o-1"), day(1))).then_rejected("no-open-referral")
    assert rejected.case.since == FILED_AT
    assert rejected.and_then(told(SponsorConfirmedAnswer(), day(3))).case.since == day(3)


def test_a_hold_does_not_move_the_stage_back() -> None:
    for held in (held_for_supporter(), held_for_passport()):
        assert held.case.stage == "travel_authorization"
    vetted_again = held_for_passport().and_then(told(VettingHitAnswer(), day(12)))
    assert (vetted_again.case.stage, vetted_again.case.waiting_on) == ("travel_authorization", "officer")


@pytest.mark.parametrize(
    ("case", "stage", "waiting_on"),
    [
        (asked_about_supporter(), "sponsor_confirmation", "sponsor"),
        (asked_for_evidence(), "proof_of_entry", "applicant"),
        (referred_for_vetting(), "security_vetting", "officer"),
        (waitlisted(), "travel_authorization", "place"),
        (authorized(), "travel_authorization", "arrival"),
        (held_for_supporter(), "travel_authorization", "applicant"),
        (held_for_passport(), "travel_authorization", "vetting"),
        (paroled(), "work_permit_eligibility", "parole_end"),
    ],
)
def test_a_case_says_where_it_is_and_whom_it_waits_on(case: Given, stage: str, waiting_on: str) -> None:
    assert (case.case.stage, case.case.waiting_on) == (stage, waiting_on)


def test_a_closed_case_waits_on_nobody() -> None:
    for case in (asked_for_evidence(), referred_for_vetting(), waitlisted(), authorized(), held_for_passport()):
        ended = case.and_then(told(WithdrawalRequest(), day(20)), place="none").case
        assert (ended.stage, ended.waiting_on, ended.requests) == ("closed", None, ())


def test_erasure_may_follow_and_changes_nothing_else() -> None:
    ended = authorized().and_then(told(WithdrawalRequest(), day(20))).case

    erased = evolve(FAMILY, ended, ERASED)

    assert erased.erased
    assert (erased.stage, erased.outcome, erased.reason) == (ended.stage, ended.outcome, ended.reason)


def test_flags_are_kept_once_each() -> None:
    referred = referred_for_vetting()
    assert referred.case.flags == ("name-match",)
    approved = referred.and_then(told(OfficerDecision(officer="o-1", decision="approve", why="looked at"), day(9)))
    assert approved.case.flags == ("name-match",)


def test_a_history_whose_personal_data_was_erased_still_folds() -> None:
    held = asked_about_supporter().and_then(told(SponsorConfirmedAnswer(), day(3)), programme=suspended(day(2)))
    history = tuple(
        event.model_copy(update={"answer": None}) if isinstance(event, CaseHeld) else event for event in held.history
    )

    case = fold(FAMILY, Case(CASE), history)

    assert (case.held, case.held_answers, case.requests) == (True, (), ())
    assert held.case.held_answers != ()


def test_a_limit_met_before_its_time_leaves_no_trace() -> None:
    assert authorized().and_then(met("authorization", day(9))).case == authorized().case
