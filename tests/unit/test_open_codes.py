"""What is stored is open: a rule, a reason, a partner, a question, an outcome and a rule set more change no format.

`tests/support/grown.py` really makes such a family. Cases go through all of it, and each of their events is what the
schemas that are published today allow.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from domain import registry
from domain.humanitarian_parole.definition import FAMILY
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmedAnswer
from domain.humanitarian_parole.stages.travel import TravelAuthorized
from domain.humanitarian_parole.stages.vetting import VettingClearedAnswer
from domain.kernel.case import Case
from domain.kernel.decider import decide, decide_or_reject, fold
from domain.kernel.events import CaseClosed, CaseEvent, CaseHeld, MessageRejected, ReferredToOfficer
from domain.kernel.messages import (
    FileApplication,
    OfficerConfirmation,
    OfficerDecision,
    ProgrammeChanged,
    RulesAdoption,
    TakeMessage,
)
from domain.kernel.programme import Programme, RulesAdopted, decide_programme, evolve_programme, open_programme
from domain.kernel.rule_set import RuleSet
from domain.programme_files import rule_set_of
from eventstore.format import published
from eventstore.format.codec import Codec, name_of
from eventstore.format.upcast import UPCASTERS
from tests.support import grown
from tests.support.filed import CASE, FILED_AT, day
from tests.support.given import RULES, SETS, a_world, filing, opened, suspended, told
from tests.support.golden_events import EXAMPLES, goldens, stored_as
from tests.support.grown import GROWN, FingerprintsGivenAnswer, FingerprintsUnreadableAnswer
from tests.support.registered import registered

NEW = rule_set_of(GROWN, "venezuela-air", grown.NEW_SET)
UNDER_NEW = opened(NEW)
DIGESTS = {version: rules.digest for version, rules in SETS.items()}
"""As the family of today reads them."""
APPROVAL = OfficerDecision(officer="o-1", decision="approve", why="looked at")
DENIAL, CONFIRMATION = (
    OfficerDecision(officer="o-1", decision="deny", why="looked at"),
    OfficerConfirmation(officer="o-2"),
)
UNREADABLE = FingerprintsUnreadableAnswer(fingers=("left-thumb",))


STORIES: dict[str, tuple[Any, ...]] = {
    "authorized": (FingerprintsGivenAnswer(), VettingClearedAnswer()),
    "approved": (UNREADABLE, APPROVAL, VettingClearedAnswer()),
    "denied": (UNREADABLE, DENIAL, CONFIRMATION),
    "refused": (VettingClearedAnswer(), FingerprintsGivenAnswer(), FingerprintsGivenAnswer()),
    "held": (UNREADABLE, ProgrammeChanged(), DENIAL, CONFIRMATION),
}


@pytest.fixture(autouse=True)
def _grown() -> Iterator[None]:
    with registered(GROWN):
        yield


def played(*commands: tuple[FileApplication | TakeMessage, Programme]) -> tuple[CaseEvent, ...]:
    """The events of a case of the grown family under the new set."""
    case, events = Case(CASE), list[CaseEvent]()
    for command, programme in commands:
        world = a_world(command.received_at, rules=NEW, programme=programme)
        decision = decide_or_reject(GROWN, case, command, world)
        case = fold(GROWN, case, decision.events)
        events += decision.events
    return tuple(events)


@lru_cache
def story_of(name: str) -> tuple[CaseEvent, ...]:
    """Filed, the supporter confirmed, then the messages of a story, one a day: in `held` the first in a suspension."""
    programme = suspended(day(3.5)) if name == "held" else UNDER_NEW
    held = replace(programme, sets=UNDER_NEW.sets, rules_version=NEW.version)
    resumed = replace(held, pauses=tuple(each._replace(until=day(4.5)) for each in held.pauses))
    said = [
        (told(message, day(4 + number)), held if number == 0 else resumed)
        for number, message in enumerate(STORIES[name])
    ]
    return played((filing(), UNDER_NEW), (told(SponsorConfirmedAnswer(), day(3)), UNDER_NEW), *said)


def all_of(kind: type[CaseEvent]) -> list[Any]:
    return [event for name in STORIES for event in story_of(name) if isinstance(event, kind)]


def test_the_stories_store_everything_that_is_new() -> None:
    results = [result for name in STORIES for event in story_of(name) if event.basis for result in event.basis.results]
    assert {grown.RULE} <= {result.rule for result in results}
    assert {"asked-for-at-14", "given", "unreadable"} <= {result.because for result in results}
    assert {(event.outcome, event.reason) for event in all_of(CaseClosed)} == {(grown.OUTCOME, grown.REASON)}
    assert {event.question for event in all_of(ReferredToOfficer)} == {grown.RULE}
    assert {event.partner for event in all_of(CaseHeld)} == {grown.PARTNER}
    assert {event.answer.partner for event in all_of(CaseHeld)} == {grown.PARTNER}
    assert "fingerprints.given" in {event.kind for event in all_of(MessageRejected)}
    assert len(all_of(TravelAuthorized)) == 2


def test_a_case_waits_on_the_new_partner() -> None:
    assert fold(GROWN, Case(CASE), story_of("authorized")[:5]).waiting_on == grown.PARTNER


@pytest.mark.parametrize("story", STORIES)
def test_every_event_is_what_the_published_schema_of_today_allows(story: str) -> None:
    codec = Codec(registry.case_events(), UPCASTERS)
    ours = [event for event in story_of(story) if event.__class__.__module__.startswith("domain.")]
    assert len(ours) > 5

    for event in ours:
        schema = json.loads(published.published(name_of(type(event)), event.SCHEMA_VERSION))
        public, personal = codec.encode(event)
        Draft202012Validator(schema["public"]).validate(json.loads(public))
        if personal is not None:
            Draft202012Validator(schema["personal"]).validate(json.loads(personal))
        assert codec.decode(name_of(type(event)), event.SCHEMA_VERSION, event.at, public, personal) == event


def test_no_published_schema_changes() -> None:
    events = set(registry.case_events())
    new: set[type[CaseEvent]] = {grown.FingerprintsAsked, grown.FingerprintsTaken}
    assert events - set(FAMILY.handlers) == new

    for event in FAMILY.handlers:
        assert published.published(name_of(event), event.SCHEMA_VERSION) == published.text_of(
            published.schema_of(event)
        )


def test_no_golden_file_changes() -> None:
    kept = {(golden.type, golden.schema_version): golden for golden in goldens()}

    assert [stored_as(event) for event in EXAMPLES] == [kept[stored_as(event)[:2]] for event in EXAMPLES]


def test_no_digest_of_a_set_changes_though_the_family_has_another_rule() -> None:
    again = registry.programme("venezuela-air").sets

    assert {version: rules.digest for version, rules in again.items()} == DIGESTS
    assert NEW.digest not in DIGESTS.values()


@pytest.mark.parametrize("rules", SETS.values(), ids=SETS)
def test_under_a_set_of_before_a_filing_is_judged_as_before(rules: RuleSet) -> None:
    world = a_world(FILED_AT, rules=rules, programme=opened(rules))

    assert decide(GROWN, Case(CASE), filing(), world) == decide(FAMILY, Case(CASE), filing(), world)


def test_the_new_set_is_adopted_by_the_events_of_today() -> None:
    programme = Programme()
    for event in open_programme(RULES, None, FILED_AT):
        programme = evolve_programme(programme, event)

    (adopted,) = decide_programme(programme, RulesAdoption(rules=NEW.version), day(1), {**SETS, NEW.version: NEW})

    assert isinstance(adopted, RulesAdopted)
    schema = json.loads(published.published("RulesAdopted", RulesAdopted.SCHEMA_VERSION))
    Draft202012Validator(schema["public"]).validate(json.loads(adopted.model_dump_json(exclude={"at"})))
    assert evolve_programme(programme, adopted).rules == NEW


def test_the_family_of_today_refuses_the_new_set_and_does_not_try_its_rule() -> None:
    with pytest.raises(ValueError, match=r"rules\.fingerprints: is no rule of this family"):
        rule_set_of(FAMILY, "venezuela-air", grown.NEW_SET)
