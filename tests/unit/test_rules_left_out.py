"""A rule that a set does not name is not tried, also where running cases come under that set in the middle."""

import json
from typing import Any

import pytest

from domain.humanitarian_parole.stages.entry import (
    EntryMatchedAnswer,
    EntryMismatchAnswer,
    EntryNotFoundAnswer,
    EntryProofNotRequired,
    EntryVerified,
    EvidenceReceived,
    EvidenceRequested,
    EvidenceSubmission,
)
from domain.humanitarian_parole.stages.sponsor import (
    SponsorConfirmed,
    SponsorConfirmedAnswer,
)
from domain.humanitarian_parole.stages.travel import TravelAuthorizationReleased, TravelAuthorized
from domain.humanitarian_parole.stages.vetting import VettingCleared, VettingClearedAnswer, VettingRequested
from domain.kernel.definition import Events
from domain.kernel.events import ReferredToOfficer
from domain.kernel.messages import ProgrammeChanged
from domain.kernel.rule_set import RuleSet, read_rule_set
from tests.support.filed import a_stamp, day
from tests.support.given import RULES, filing, given, opened, told
from tests.support.stages import asked_about_entry, asked_about_supporter, asked_for_evidence, held_for_passport

EVIDENCE = EvidenceSubmission(documents=(a_stamp(),))


def without(*rules: str) -> dict[str, Any]:
    """The notice's set without some of its rules, and the programme under it."""
    content = json.loads(RULES.text)
    content["rules"] = {name: text for name, text in content["rules"].items() if name not in rules}
    less: RuleSet = read_rule_set(json.dumps(content))
    return {"rules": less, "programme": opened(less)}


def test_a_set_without_rules_lets_everybody_travel() -> None:
    nothing = without(*RULES.rules)

    confirmed = given().and_then(filing(), **nothing).and_then(told(SponsorConfirmedAnswer(), day(3)), **nothing)
    confirmed.when(told(VettingClearedAnswer(), day(8)), **nothing).then(VettingCleared, TravelAuthorized)


def test_without_its_rule_nothing_about_a_supporter_stands_out() -> None:
    known = {**without("supporter"), "earlier_supporter_cases": 500, "shared_details": ("phone",)}

    asked_about_supporter().when(told(SponsorConfirmedAnswer(), day(3)), **known).then(
        SponsorConfirmed, EntryProofNotRequired, VettingRequested
    )


def test_without_its_rule_a_changed_passport_is_vetted_and_its_validity_is_not_judged() -> None:
    held_for_passport().when(told(VettingClearedAnswer(), day(900)), **without("passport-validity")).then(
        VettingCleared, TravelAuthorizationReleased
    )


@pytest.mark.parametrize(
    ("answer", "then"),
    [
        (EntryMatchedAnswer(), (EntryVerified, VettingRequested)),
        (EntryNotFoundAnswer(), (EvidenceRequested, EntryProofNotRequired, VettingRequested)),
        (EntryMismatchAnswer(), (ReferredToOfficer,)),
        (ProgrammeChanged(), (EntryProofNotRequired, VettingRequested)),
    ],
    ids=["matched", "not found", "mismatch", "nothing said"],
)
def test_whoever_was_asked_about_an_entry_that_needs_no_proof_any_more_is_let_go(answer: Any, then: Events) -> None:
    asked_about_entry().when(told(answer, day(4)), **without("mexico-entry")).then(*then)


def test_evidence_that_is_not_needed_any_more_is_taken() -> None:
    then = (
        asked_for_evidence()
        .when(told(EVIDENCE, day(5)), **without("mexico-entry"))
        .then(EvidenceReceived, EntryVerified, VettingRequested)
    )
    assert then.case.waiting_on == "vetting"
