"""A replay as plain lines for a terminal."""

import json
from collections.abc import Iterator

from audit.replay import words
from audit.replay.case import Entry, Replay, RuleTried
from audit.replay.timeline import Timeline
from audit.replay.words import Language


def lines(found: Replay, language: Language) -> Iterator[str]:
    """The state, then the timeline."""
    told = Timeline(found, language)
    yield f"{found.case_id}  {found.version}/{found.of_version}"
    yield told.personal()
    yield ""
    for name, value in told.state():
        yield f"{name}: {value}"
    for entry in found.entries:
        yield ""
        yield from _entry(entry, told)
    if found.asked:
        yield ""
        yield told.say(words.WHO_ASKED)
    for each in found.asked:
        at = each.happened_at.strftime("%Y-%m-%d %H:%M:%S%z")
        yield f"      {at}  {told.asked(each)}  {each.actor}  {each.event_id}"


def _entry(entry: Entry, told: Timeline) -> Iterator[str]:
    at = entry.happened_at.strftime("%Y-%m-%d %H:%M:%S%z")
    yield f"{entry.version:>4}  {at}  {told.happened(entry)}"
    yield f"      {entry.type}: {told.acted(entry)} ({told.proved(entry)}); {told.caused(entry)}"
    for values in (entry.limits, entry.details):
        if values:
            yield "      " + "; ".join(f"{name} = {json.dumps(v, ensure_ascii=False)}" for name, v in values.items())
    if entry.decision is not None:
        yield f"      {entry.decision.rules_version}, {entry.decision.decided_on}, {entry.decision.rules_digest}"
        for rule in entry.decision.rules:
            yield from _rule(rule, told)


def _rule(rule: RuleTried, told: Timeline) -> Iterator[str]:
    name = told.rule_name(rule)
    yield f"        {told.result(rule)}  {name}: {told.why(rule)}"
    text = rule.en if told.language == "en" else rule.es
    for line in (text, rule.source, json.dumps(rule.parameters, ensure_ascii=False) if rule.parameters else None):
        if line:
            yield f"            {line}"
    for fact in rule.facts:
        says = "; ".join(f"{path} = {json.dumps(value, ensure_ascii=False)}" for path, value in fact.says.items())
        yield f"            {fact.event_id} {fact.type}  {says}".rstrip()
    if rule.cases:
        yield f"            {', '.join(rule.cases)}"
