"""Replaying cases: every scenario's, in both languages, at every version, with and without what is personal."""

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import cast

import pytest

from audit.replay import timeline
from audit.replay.case import Replay, Until, as_json, replay
from audit.replay.html import page
from audit.replay.rules import FACTS, LIMITS, PARAMETERS, rule_set_of
from audit.replay.text import lines
from audit.replay.words import BECAUSE, EVENTS, VALUES, Language, Words
from domain.case import Case
from domain.events import CASE_EVENTS, CaseEvent
from domain.evolve import fold
from domain.rules.rule_set import RuleSet, bundled_rule_book
from domain.vocabulary import Outcome, Reason, Rule
from eventstore.format.codec import name_of
from eventstore.format.wrapping import unwrap
from eventstore.keys import CaseKey
from tests.support.stored_cases import StoredLog, all_cases, all_stored

LANGUAGES: tuple[Language, ...] = ("en", "es")
BOOK = bundled_rule_book()


def replayed(log: StoredLog, case_id: str, until: Until = None, *, asked: bool = True) -> Replay:
    keys: Mapping[str, CaseKey | None] = log.keys if asked else dict.fromkeys(log.keys)
    return replay(log.streams[case_id], keys, BOOK, until, asked=asked)


def of(name: str, number: int = 0) -> tuple[StoredLog, str]:
    log = next(log for scenario, log in all_stored() if scenario.startswith(name))
    return log, log.cases[number]


def test_every_event_every_code_and_every_rule_has_words_in_both_languages() -> None:
    assert EVENTS.keys() == {name_of(event) for event in CASE_EVENTS}
    codes = {*Outcome.__args__, *Reason.__args__, *Rule.__args__}  # type: ignore[attr-defined]  # arguments of a Literal
    assert codes <= VALUES.keys()
    assert PARAMETERS.keys() == FACTS.keys() == set(Rule.__args__)  # type: ignore[attr-defined]  # as above
    named = {name for names in (*PARAMETERS.values(), *LIMITS.values()) for name in names}
    assert named <= RuleSet.model_fields.keys()
    every: list[Words] = [*EVENTS.values(), *VALUES.values(), *BECAUSE.values()]
    assert all(words.en and words.es for words in every)
    for words in EVENTS.values():
        assert re.findall(r"{\w+}", words.en) == re.findall(r"{\w+}", words.es)


def test_what_sentences_name_is_a_public_field_of_their_event() -> None:
    for event in CASE_EVENTS:
        names = set(re.findall(r"{(\w+)}", EVENTS[name_of(event)].en))
        assert names <= event.model_fields.keys(), name_of(event)


def test_every_case_of_every_scenario_is_told_whole() -> None:
    told: set[str] = set()
    for name, log, case_id in all_cases():
        found = replayed(log, case_id)
        told |= {entry.type for entry in found.entries}
        for entry in found.entries:
            for rule in entry.decision.rules if entry.decision else ():
                assert rule.because in BECAUSE, (name, rule)
                assert rule.en, name
                assert rule.es, name
                assert rule.source, name
                assert rule.parameters.keys() == set(PARAMETERS[cast("Rule", rule.rule)])
        for language in LANGUAGES:
            for line in [*lines(found, language), *(timeline.happened(entry, language) for entry in found.entries)]:
                assert not re.search(r"{\w+}|  +\.", line), line
        json.dumps(as_json(found), default=str)
    assert len(told) >= 35


def test_a_refusal_names_its_rule_its_source_its_parameter_and_the_facts_with_their_events() -> None:
    log, _ = of("irregular-entry-declared")
    found, closed = next(
        (found, found.entries[-1])
        for found in (replayed(log, each) for each in log.cases)
        if found.state["reason"] == "irregular-entry"
    )
    case_id = found.case_id
    assert closed.decision is not None
    rule = next(rule for rule in closed.decision.rules if rule.result == "failed")
    assert (rule.rule, rule.because) == ("irregular-entry", "declared-after-notice")
    assert "irregular_entry_after" in rule.parameters
    assert rule.facts[0].event_id == f"{case_id}:1"
    assert rule.facts[0].says["application.entries"][0]["manner"] == "irregular"
    text = "\n".join(lines(found, "en"))
    assert all(word in text for word in (rule.source or "?", "irregular_entry_after", f"{case_id}:1"))


def test_the_state_at_any_version_and_any_moment_is_the_one_that_was() -> None:
    log, case_id = of("01-")
    events = [cast("CaseEvent", s.event) for s in unwrap(log.streams[case_id], log.keys).events]
    for version in range(1, len(events) + 1):
        case, found = fold(Case(case_id), events[:version]), replayed(log, case_id, version)
        assert (found.version, found.of_version) == (version, len(events))
        assert (found.state["stage"], found.state["waiting_on"]) == (case.stage, case.waiting_on)
        at_moment = replayed(log, case_id, events[version - 1].at)
        assert at_moment.version >= version
    with pytest.raises(ValueError, match="by then"):
        replayed(log, case_id, 0)


def test_without_an_auditor_nothing_personal_is_said_and_it_says_so() -> None:
    for _, log, case_id in all_cases():
        shown = replayed(log, case_id)
        hidden = replayed(log, case_id, asked=False)
        assert (shown.personal, hidden.personal) == ("shown", "withheld")
        beneficiary = shown.entries[0].details["application"]["beneficiary"]
        supporter = shown.entries[0].details["application"]["supporter"]
        secrets = [beneficiary["surnames"], beneficiary["passport"]["number"], supporter["address"]]
        told = "\n".join([*lines(hidden, "en"), page(hidden, "es"), json.dumps(as_json(hidden), default=str)])
        assert not [secret for secret in secrets if len(secret) > 3 and re.search(rf"\b{re.escape(secret)}\b", told)]
        assert beneficiary["surnames"] in page(shown, "en")


def test_after_erasure_it_says_so_and_tells_the_rest() -> None:
    log, case_id = of("01-")
    erased = replay(log.streams[case_id], {case_id: None}, BOOK, asked=True)
    assert erased.personal == "erased"
    assert "key is destroyed" in "\n".join(lines(erased, "en"))
    assert "llave fue destruida" in page(erased, "es")
    assert [e.type for e in erased.entries] == [e.type for e in replayed(log, case_id).entries]


def test_a_rule_set_that_is_not_at_hand_is_named_and_not_made_up() -> None:
    log, case_id = of("01-")
    found = replay(log.streams[case_id], log.keys, {}, asked=True)
    decision = next(entry.decision for entry in found.entries if entry.decision)
    assert not decision.rules_at_hand
    assert rule_set_of(BOOK, decision.rules_digest) is not None
    assert {(rule.en, rule.source) for rule in decision.rules} == {(None, None)}
    assert decision.rules_digest in page(found, "en")


class _Page(HTMLParser):
    """Follows the tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_needs_nothing_else_runs_nothing_and_is_well_formed(language: Language) -> None:
    for _, log, case_id in all_cases():
        parsed = _Page()
        parsed.feed(page(replayed(log, case_id), language))
        assert parsed.open == []
        assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in parsed.tags}
        assert not [names for _, names in parsed.tags if {"src", "href", "style"} & names.keys() or
                    any(name.startswith("on") for name in names)]  # fmt: skip
        assert parsed.tags[0] == ("html", {"lang": language})


def test_what_people_wrote_is_never_taken_for_markup() -> None:
    log, case_id = of("01-")
    found = replayed(log, case_id)
    entry = found.entries[0]._replace(details={"why": "<script>alert(1)</script>"})
    told = page(Replay(found.case_id, 1, 1, "shown", found.state, (entry,)), "en")
    assert "<script" not in told
    assert "&lt;script&gt;" in told
