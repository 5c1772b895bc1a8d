"""A replay as one page: no script, nothing from elsewhere, and it prints well."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any, Final

from audit.replay import timeline
from audit.replay.asked import Asked
from audit.replay.case import Decision, Entry, Fact, Replay, RuleTried
from audit.replay.words import Language, Words

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
    "earlier": Words("Earlier cases of the supporter", "Casos anteriores de la persona de apoyo"),
    "unknown": Words("the rule set is not at hand", "el conjunto de reglas no está disponible"),
    "details": Words("Personal details", "Datos personales"),
}


def page(found: Replay, language: Language) -> str:
    """The whole page."""
    subtitle = _t("part", language).format(version=found.version, of=found.of_version)
    rows = "".join(f"<tr><th>{escape(n)}</th><td>{escape(v)}</td></tr>" for n, v in timeline.state(found, language))
    template = Template((resources.files("audit") / "templates" / "replay.html").read_text("utf-8"))
    return template.substitute(
        language=language,
        title=escape(_t("title", language).format(case=found.case_id)),
        subtitle=escape(subtitle),
        personal=escape(timeline.personal(found, language)),
        state_title=escape(_t("state", language)),
        state=rows,
        events_title=escape(_t("events", language)),
        events="".join(_event(entry, language) for entry in found.entries),
        asked=_asked(found.asked, language),
    )


def _asked(found: Sequence[Asked], language: Language) -> str:
    """Who asked about the case; nothing where nobody did."""
    if not found:
        return ""
    rows = "".join(
        f"<tr><td>{escape(each.happened_at.isoformat())}</td><td>{escape(timeline.asked(each, language))}</td>"
        f"<td>{escape(each.actor)}</td><td><code>{escape(each.event_id)}</code></td></tr>"
        for each in found
    )
    return f"<section><h2>{escape(timeline.asked_title(language))}</h2><table>{rows}</table></section>"


def _t(name: str, language: Language) -> str:
    return str(getattr(_T[name], language))


def _event(entry: Entry, language: Language) -> str:
    recorded = f"{_t('recorded', language)} {entry.recorded_at.isoformat()}"
    when = f"{entry.version} · {entry.happened_at.isoformat()} ({recorded})"
    because = f"{_t('on', language)} {timeline.caused(entry, language)}"
    who = f"{_t('by', language)} {timeline.acted(entry, language)}; {because}"
    parts = [
        f'<p class="when">{escape(when)}</p>',
        f"<p><strong>{escape(timeline.happened(entry, language))}</strong></p>",
        f'<p class="who">{escape(who)} · <code>{escape(entry.type)}</code></p>',
        _values(_t("limits", language), entry.limits),
        _values(_t("details", language), entry.details),
        "" if entry.decision is None else _decision(entry.decision, language),
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


def _decision(decision: Decision, language: Language) -> str:
    said = _t("rules", language).format(
        version=decision.rules_version, day=decision.decided_on, programme=decision.programme_version
    )
    at_hand = "" if decision.rules_at_hand else f" ({_t('unknown', language)})"
    head = f'<p class="small">{escape(said + at_hand)}<br><code>{escape(decision.rules_digest)}</code></p>'
    earlier = decision.earlier_supporter_cases
    tail = "" if earlier is None else _small(_t("earlier", language), str(earlier))
    return f"{head}<dl>{''.join(_rule(rule, language) for rule in decision.rules)}</dl>{tail}"


def _rule(rule: RuleTried, language: Language) -> str:
    name, result = timeline.rule_name(rule.rule, language), timeline.result(rule, language)
    text = rule.en if language == "en" else rule.es
    parts = [
        f'<dt class="{rule.result}">{escape(f"{name}: {result}, {timeline.why(rule, language)}")}</dt><dd>',
        "" if text is None else f"{escape(text)}<br>",
        "" if rule.source is None else _small(_t("source", language), rule.source),
        _values(_t("parameters", language), rule.parameters),
        *(_fact(fact, language) for fact in rule.facts),
        "" if not rule.cases else _small(_t("cases", language), ", ".join(rule.cases)),
    ]
    return "".join(parts) + "</dd>"


def _fact(fact: Fact, language: Language) -> str:
    """What the rule looked at; the event alone where that is not shown."""
    title = f"{_t('facts', language)} {fact.event_id} ({fact.type})"
    return _values(title, fact.says) or f'<p class="small">{escape(title)}</p>'
