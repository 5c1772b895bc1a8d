"""The domain's "no": answered with a code, recorded by an open case, at most fifty times."""

from datetime import datetime
from typing import Any

import pytest

from domain.humanitarian_parole.definition import FAMILY
from domain.humanitarian_parole.stages.crossing import IrregularCrossingRecorded, IrregularCrossingReport
from domain.humanitarian_parole.stages.entry import (
    EntryMatchedAnswer,
    EntryMismatchAnswer,
    EntryNotFoundAnswer,
    EvidenceSubmission,
)
from domain.humanitarian_parole.stages.filing import ApplicationSubmitted, WithdrawalRequest
from domain.humanitarian_parole.stages.parole import (
    ArrivalParoled,
    WorkPermitApplication,
    WorkPermitEligibleAnswer,
    WorkPermitIneligibleAnswer,
)
from domain.humanitarian_parole.stages.retraction import FactRetraction
from domain.humanitarian_parole.stages.sponsor import (
    SponsorConfirmedAnswer,
    SponsorNeedsReviewAnswer,
    SponsorNotConfirmedAnswer,
    SponsorWithdrew,
    SponsorWithdrewNotice,
)
from domain.humanitarian_parole.stages.travel import (
    ArrivalRefused,
    ExtensionRequest,
    TravelAuthorizationHeld,
    TravelAuthorized,
)
from domain.humanitarian_parole.stages.vetting import (
    VettingCleared,
    VettingClearedAnswer,
    VettingHitAnswer,
    VettingReferredAnswer,
)
from domain.kernel.decider import decide_or_reject
from domain.kernel.events import MessageRejected
from domain.kernel.messages import (
    OfficerConfirmation,
    OfficerDecision,
    OfficerReconsideration,
    PlaceOffered,
    ProgrammeChanged,
)
from tests.support.filed import an_application, day
from tests.support.given import a_world, given, happened, met, told
from tests.support.stages import a_changed_passport, a_replacement, asked_for_vetting, authorized, closed

EVERYTHING: tuple[Any, ...] = (
    ApplicationSubmitted(application=an_application()),
    SponsorConfirmedAnswer(),
    SponsorNotConfirmedAnswer(),
    SponsorNeedsReviewAnswer(),
    SponsorWithdrewNotice(),
    a_replacement(),
    EntryMatchedAnswer(),
    EntryNotFoundAnswer(),
    EntryMismatchAnswer(),
    EvidenceSubmission(documents=()),
    WithdrawalRequest(),
    a_changed_passport(),
    VettingClearedAnswer(),
    VettingReferredAnswer(),
    VettingHitAnswer(),
    OfficerDecision(officer="o-1", decision="approve", why="looked at"),
    OfficerConfirmation(officer="o-1"),
    OfficerReconsideration(officer="o-1", why="looked at"),
    FactRetraction(of="m-1"),
    IrregularCrossingReport(country="USA", crossed_at=datetime.fromisoformat("2022-11-01T00:00:00-05:00")),
    ExtensionRequest(),
    ArrivalParoled(port="MIA"),
    ArrivalRefused(port="MIA"),
    WorkPermitApplication(),
    WorkPermitEligibleAnswer(),
    WorkPermitIneligibleAnswer(),
    PlaceOffered(),
    ProgrammeChanged(),
)


CODES = {"fact.retracted": "unknown-fact"}
"""What a closed case answers, where it is not that it is closed."""


@pytest.mark.parametrize("message", EVERYTHING, ids=lambda message: message.message)
def test_a_closed_case_rejects_everything_but_a_crossing_and_records_nothing(message: Any) -> None:
    taken = closed().when(told(message, day(20)))
    if isinstance(message, IrregularCrossingReport):
        taken.then(IrregularCrossingRecorded)
    else:
        taken.then_rejected(CODES.get(message.message, "case-closed"))


@pytest.mark.parametrize("message", EVERYTHING, ids=lambda message: message.message)
def test_a_case_never_filed_rejects_everything_and_records_nothing(message: Any) -> None:
    given().when(told(message, day(20))).then_rejected("not-filed")


def test_every_kind_of_message_is_among_these() -> None:
    assert {type(message) for message in EVERYTHING} == {
        FAMILY.submission,
        *(each.kind for each in FAMILY.messages.values()),
        *(each.kind for each in FAMILY.answers.values()),
    }


def test_a_refusal_names_the_message_and_the_code_and_nothing_personal() -> None:
    refused = authorized().when(told(a_replacement(), day(9))).then_rejected("no-supporter-wanted")

    assert refused.history[-1] == MessageRejected(at=day(9), kind="sponsor.replaced", code="no-supporter-wanted")


def test_an_open_case_records_fifty_refusals_and_answers_the_next_all_the_same() -> None:
    case = asked_for_vetting()
    for number in range(50):
        case = case.when(told(OfficerConfirmation(officer="o-1"), day(4 + number / 100))).then_rejected(
            "no-open-referral"
        )
    late = told(OfficerConfirmation(officer="o-1"), day(5))

    decision = decide_or_reject(FAMILY, case.case, late, a_world(day(5)))

    assert (decision.events, decision.reply.answer) == ((), "rejected")
    case.when(told(VettingClearedAnswer(), day(8))).then(VettingCleared, TravelAuthorized)


def test_a_limit_of_a_closed_case_is_no_message_and_leaves_nothing() -> None:
    closed().when(met("evidence", day(40))).then_nothing()
    closed().when(met("authorization", day(400))).then_nothing()


def test_what_came_earlier_than_the_last_event_is_recorded_in_the_order_it_was_learnt() -> None:
    authorized().when(told(SponsorWithdrewNotice(), day(7)), a_world(day(9))).then(
        happened(SponsorWithdrew, at=day(8)), happened(TravelAuthorizationHeld, at=day(8))
    )
