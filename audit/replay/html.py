"""A replay as one page: no script, nothing from elsewhere, and it prints well."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any, Final

from audit.replay import words
from audit.replay.asked import Asked
from audit.replay.case import Decision, Entry, Fact, Replay, RuleTried
from audit.replay.timeline import Timeline
from audit.replay.words import Language
from domain.kernel.definition import Words

_T: Final[Mapping[str, Words]] = {
    "title": Words("Case {case}", "Caso {case}"),
    "part": Words("Version {version} of {of}", "Versión {version} de {of}"),
    "state": Words("How the case stood", "Cómo estaba el caso"),
    "events": Words("What happened", "Qué ocurrió"),
    "recorded": Words("recorded", "registrado"),
    "by": Words("by", "por"),
    "on": Words("on", "a raíz de:"),
    "rules": Words(
        "Decided under the rules of {version} on {day} (New York), programme version {programme}",
        "Decidido según las reglas de {version} el {day} (Nueva York), versión {programme} del programa",
    ),
    "source": Words("Source", "Fuente"),
    "parameters": Words("Parameters", "Parámetros"),
    "limits": Words("Limits of the rule set", "Plazos del conjunto de reglas"),
    "facts": Words("Facts from", "Hechos de"),
    "cases": Words("Other cases", "Otros casos"),
    "known": Words("Known beyond the case", "Lo que se sabía fuera del caso"),
    "details": Words("Personal details", "Datos personales"),
}


def page(found: Replay, language: Language) -> str:
    """The whole page."""
    told = Timeline(found, language)
    subtitle = told.say(_T["part"]).format(version=found.version, of=found.of_version)
    rows = "".join(f"<tr><th>{escape(n)}</th><td>{escape(v)}</td></tr>" for n, v in told.state())
    template = Template((resources.files("audit") / "templates" / "replay.html").read_text("utf-8"))
    return template.substitute(
        language=language,
        title=escape(told.say(_T["title"]).format(case=found.case_id)),
        subtitle=escape(subtitle),
        personal=escape(told.personal()),
        state_title=escape(told.say(_T["state"])),
        state=rows,
        events_title=escape(told.say(_T["events"])),
        events="".join(_event(entry, told) for entry in found.entries),
        asked=_asked(found.asked, told),
    )


def _asked(found: Sequence[Asked], told: Timeline) -> str:
    """Who asked about the case; nothing where nobody did."""
    if not found:
        return ""
    rows = "".join(
        f"<tr><td>{escape(each.happened_at.isoformat())}</td><td>{escape(told.asked(each))}</td>"
        f"<td>{escape(each.actor)}</td><td><code>{escape(each.event_id)}</code></td></tr>"
        for each in found
    )
    return f"<section><h2>{escape(told.say(words.WHO_ASKED))}</h2><table>{rows}</table></section>"


def _event(entry: Entry, told: Timeline) -> str:
    recorded = f"{told.say(_T['recorded'])} {entry.recorded_at.isoformat()}"
    when = f"{entry.version} · {entry.happened_at.isoformat()} ({recorded})"
    because = f"{told.say(_T['on'])} {told.caused(entry)}"
    who = f"{told.say(_T['by'])} {told.acted(entry)}; {because}"
    parts = [
        f'<p class="when">{escape(when)}</p>',
        f"<p><strong>{escape(told.happened(entry))}</strong></p>",
        f'<p class="who">{escape(who)} · <code>{escape(entry.type)}</code></p>',
        _values(told.say(_T["limits"]), entry.limits),
        _values(told.say(_T["details"]), entry.details),
        "" if entry.decision is None else _decision(entry.decision, told),
        f'<p class="small"><code>{entry.hash}</code></p>',
    ]
    return f'<li class="event">{"".join(parts)}</li>'


def _values(title: str, values: Mapping[str, Any]) -> str:
    if not values:
        return ""
    said = "; ".join(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())
    return _small(title, said)


def _small(title: str, said: str) -> str:
    return f'<p class="small">{escape(f"{title}: {said}")}</p>'


def _decision(decision: Decision, told: Timeline) -> str:
    said = told.say(_T["rules"]).format(
        version=decision.rules_version, day=decision.decided_on, programme=decision.programme_version
    )
    head = f'<p class="small">{escape(said)}<br><code>{escape(decision.rules_digest)}</code></p>'
    known = _values(told.say(_T["known"]), decision.known)
    return f"{head}<dl>{''.join(_rule(rule, told) for rule in decision.rules)}</dl>{known}"


def _rule(rule: RuleTried, told: Timeline) -> str:
    name, result = told.rule_name(rule), told.result(rule)
    text = rule.en if told.language == "en" else rule.es
    parts = [
        f'<dt class="{rule.result}">{escape(f"{name}: {result}, {told.why(rule)}")}</dt><dd>',
        f"{escape(text)}<br>",
        _small(told.say(_T["source"]), rule.source),
        _values(told.say(_T["parameters"]), rule.parameters),
        *(_fact(fact, told) for fact in rule.facts),
        "" if not rule.cases else _small(told.say(_T["cases"]), ", ".join(rule.cases)),
    ]
    return "".join(parts) + "</dd>"


def _fact(fact: Fact, told: Timeline) -> str:
    """What the rule looked at; the event alone where that is not shown."""
    title = f"{told.say(_T['facts'])} {fact.event_id} ({fact.type})"
    return _values(title, fact.says) or f'<p class="small">{escape(title)}</p>'
