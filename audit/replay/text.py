"""A replay as plain lines for a terminal."""

import json
from collections.abc import Iterator

from audit.replay import timeline
from audit.replay.case import Entry, Replay, RuleTried
from audit.replay.words import Language


def lines(found: Replay, language: Language) -> Iterator[str]:
    """The state, then the timeline."""
    yield f"{found.case_id}  {found.version}/{found.of_version}"
    yield timeline.personal(found, language)
    yield ""
    for name, value in timeline.state(found, language):
        yield f"{name}: {value}"
    for entry in found.entries:
        yield ""
        yield from _entry(entry, language)
    if found.asked:
        yield ""
        yield timeline.asked_title(language)
    for each in found.asked:
        at = each.happened_at.strftime("%Y-%m-%d %H:%M:%S%z")
        yield f"      {at}  {timeline.asked(each, language)}  {each.actor}  {each.event_id}"


def _entry(entry: Entry, language: Language) -> Iterator[str]:
    at = entry.happened_at.strftime("%Y-%m-%d %H:%M:%S%z")
    yield f"{entry.version:>4}  {at}  {timeline.happened(entry, language)}"
    yield f"      {entry.type}: {timeline.acted(entry, language)}; {timeline.caused(entry, language)}"
    for values in (entry.limits, entry.details):
        if values:
            yield "      " + "; ".join(f"{name} = {json.dumps(v, ensure_ascii=False)}" for name, v in values.items())
    if entry.decision is not None:
        yield f"      {entry.decision.rules_version}, {entry.decision.decided_on}, {entry.decision.rules_digest}"
        for rule in entry.decision.rules:
            yield from _rule(rule, language)


def _rule(rule: RuleTried, language: Language) -> Iterator[str]:
    name = timeline.rule_name(rule.rule, language)
    yield f"        {timeline.result(rule, language)}  {name}: {timeline.why(rule, language)}"
    text = rule.en if language == "en" else rule.es
    for line in (text, rule.source, json.dumps(rule.parameters, ensure_ascii=False) if rule.parameters else None):
        if line:
            yield f"            {line}"
    for fact in rule.facts:
        says = "; ".join(f"{path} = {json.dumps(value, ensure_ascii=False)}" for path, value in fact.says.items())
        yield f"            {fact.event_id} {fact.type}  {says}".rstrip()
    if rule.cases:
        yield f"            {', '.join(rule.cases)}"
