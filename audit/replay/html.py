"""A replay as one page: it runs no script, loads nothing and can be printed. The template escapes every value."""

import json
from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from audit.replay import words
from audit.replay.case import Replay
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
    "asked": words.WHO_ASKED,
    "details": Words("Personal details", "Datos personales"),
}

_TEMPLATES: Final = Environment(
    loader=PackageLoader("audit"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def page(found: Replay, language: Language) -> str:
    """The whole page."""
    timeline = Timeline(found, language)
    return _TEMPLATES.get_template("replay.html").render(
        found=found,
        language=language,
        words={name: timeline.say(said) for name, said in _T.items()},
        timeline=timeline,
        listed=_listed,
    )


def _listed(values: Mapping[str, Any]) -> str:
    return "; ".join(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())
