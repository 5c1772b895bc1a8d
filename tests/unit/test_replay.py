"""Replaying cases: every scenario's, in both languages, at every version, with and without what is personal."""

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import cast

import pytest

from audit.programmes import ProgrammeHistory, history_of
from audit.replay.case import Replay, Until, as_json, replay
from audit.replay.html import page
from audit.replay.text import lines
from audit.replay.timeline import Timeline
from audit.replay.words import Language
from domain import registry
from domain.kernel.case import Case
from domain.kernel.decider import fold
from domain.kernel.definition import Words
from domain.kernel.events import CaseEvent
from domain.kernel.family import Family
from eventstore.format.codec import name_of
from eventstore.format.wrapping import unwrap
from eventstore.keys import CaseKey
from tests.support.stored_cases import StoredLog, all_cases, all_stored

LANGUAGES: tuple[Language, ...] = ("en", "es")
FAMILIES = pytest.mark.parametrize("family", registry.families(), ids=lambda family: family.name)


def programme_of(log: StoredLog) -> ProgrammeHistory:
    return history_of(each.event for each in unwrap(log.streams[log.programme], {}).events)


def replayed(log: StoredLog, case_id: str, until: Until = None, *, asked: bool = True) -> Replay:
    keys: Mapping[str, CaseKey | None] = log.keys if asked else dict.fromkeys(log.keys)
    return replay(log.streams[case_id], keys, programme_of(log), until, asked=asked)


def of(name: str, number: int = 0) -> tuple[StoredLog, str]:
    log = next(log for scenario, log in all_stored() if scenario.startswith(name))
    return log, log.cases[number]


@FAMILIES
def test_everything_that_a_family_declares_has_words_in_both_languages(family: Family) -> None:
    assert family.events.keys() == {name_of(event) for event in family.handlers}
    assert family.stage_titles.keys() == {stage.name for stage in family.stages if stage.name}
    senders = {sender for each in family.signals.values() for sender in each.kind.SENDERS}
    assert senders <= family.sender_titles.keys()
    every: list[Words] = [*family.stage_titles.values(), *family.sender_titles.values(), *family.wait_titles.values()]
    every += [*family.codes.values(), *family.fact_titles.values()]
    every += [words for rule in family.rules.values() for words in rule.because.values()]
    every += [words for event in family.events.values() for words in event.codes.values()]
    assert all(words.en and words.es for words in every)


@FAMILIES
def test_what_sentences_name_is_a_public_field_of_their_event(family: Family) -> None:
    for name, declared in family.events.items():
        assert declared.words is not None
        named = re.findall(r"{(\w+)}", declared.words.en)
        assert named == re.findall(r"{(\w+)}", declared.words.es)
        assert set(named) <= declared.kind.model_fields.keys(), name


@FAMILIES
def test_lengths_that_an_event_follows_from_are_in_every_rule_set(family: Family) -> None:
    assert {length for each in family.events.values() for length in each.lengths} <= set(family.lengths)


def test_that_a_limit_of_a_referral_passed_says_no_more_than_that() -> None:
    log, case_id = of("referral-escalates-once")
    found = replayed(log, case_id)
    escalated = next(entry for entry in found.entries if entry.type == "ReferralEscalated")
    assert Timeline(found, "en").happened(escalated) == "The limit of question 1 passed; it is still open."


def test_every_case_of_every_scenario_is_told_whole() -> None:
    told: set[str] = set()
    for name, log, case_id in all_cases():
        found, family, programme = replayed(log, case_id), registry.family_of(case_id), programme_of(log)
        told |= {entry.type for entry in found.entries}
        for entry in found.entries:
            for rule in entry.decision.rules if entry.decision else ():
                assert rule.because in family.rules[rule.rule].because, (name, rule)
                assert entry.decision is not None
                text = programme.sets[entry.decision.rules_digest].rules[rule.rule]
                assert (rule.en, rule.es, rule.source, rule.parameters) == (
                    text.en,
                    text.es,
                    text.source,
                    text.parameters,
                )
        for language in LANGUAGES:
            timeline = Timeline(found, language)
            for line in [*lines(found, language), *(timeline.happened(entry) for entry in found.entries)]:
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
    assert rule.parameters["after"] == "2022-10-19"
    assert rule.facts[0].event_id == f"{case_id}:1"
    assert rule.facts[0].says["application.entries"][0]["manner"] == "irregular"
    text = "\n".join(lines(found, "en"))
    assert all(word in text for word in (rule.source, "2022-10-19", f"{case_id}:1"))


def test_the_state_at_any_version_and_any_moment_is_the_one_that_was() -> None:
    log, case_id = of("01-")
    events = [cast("CaseEvent", s.event) for s in unwrap(log.streams[case_id], log.keys).events]
    family = registry.family_of(case_id)
    for version in range(1, len(events) + 1):
        case, found = (
            fold(family, Case(case_id), events[:version]),
            replayed(log, case_id, version),
        )
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
    erased = replay(log.streams[case_id], {case_id: None}, programme_of(log), asked=True)
    assert erased.personal == "erased"
    assert "key is destroyed" in "\n".join(lines(erased, "en"))
    assert "llave fue destruida" in page(erased, "es")
    assert [e.type for e in erased.entries] == [e.type for e in replayed(log, case_id).entries]


def test_limits_are_those_of_the_programme_as_it_stood_then() -> None:
    log, _ = of("suspended-has-no-last-day")
    days = set()
    for case_id in log.cases:
        whole = replayed(log, case_id)
        for version in range(1, whole.version + 1):
            days.add(replayed(log, case_id, version).state["authorized_last_day"])
        days.add(whole.state["authorized_last_day"])
    assert len(days) > 1


def test_a_set_that_was_never_in_force_is_not_made_up() -> None:
    log, case_id = of("01-")
    with pytest.raises(KeyError):
        replay(log.streams[case_id], log.keys, history_of(()), asked=True)


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
