"""The format's JSON Schema, for editors and for whoever generates scenarios: `docs/scenario.schema.json`.

It describes one file. A file with `extends`, and a base, may leave out what another layer brings, so keys are required
only inside lists, which always replace whole, and in a scenario that extends nothing. What sections must agree on
(names, who answers what) is the loader's to judge. Moments and dates are YAML timestamps, which JSON has as text.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from domain.kernel.ids import CaseId
from domain.kernel.messages import Message
from simulation.format.applications import APPLICATIONS, CaseName, ScenarioApplication
from simulation.format.message_kinds import PROGRAMME_KINDS, TIMELINE_KINDS
from simulation.format.scenario import Scenario
from simulators.scripts import ANSWER_KINDS, NOT_IN_SCRIPTS

PUBLISHED = Path("docs/scenario.schema.json")
_REF = "#/$defs/"
_PART = "-part"
_CASE_ID = TypeAdapter(CaseId).json_schema()
_CASE_NAME = TypeAdapter(CaseName).json_schema()

JsonObject = dict[str, Any]


def scenario_schema() -> JsonObject:
    """The JSON Schema (2020-12) of a scenario file."""
    whole = Scenario.model_json_schema(mode="validation")
    definitions: JsonObject = whole.pop("$defs")
    definitions["TimelineItem"] = _timeline_item(definitions)
    for kind in APPLICATIONS.values():
        definitions[kind.__name__] = _application(definitions, kind)
    definitions = _with_names_of_cases(definitions)
    definitions["PartnerScript"] = _partner_script(definitions)
    whole["properties"]["extends"] = {"type": "string", "minLength": 1, "description": "A base, relative to this file."}
    whole["properties"]["partners"] = {"$ref": f"{_REF}PartnerScripts", "description": "Under each application's own."}
    definitions["Scenario"] = whole
    parts = {f"{name}{_PART}": _part(each) for name, each in definitions.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Passage scenario file",
        "description": str(__doc__).split("\n\n", 1)[1].strip(),
        "$ref": f"{_REF}Scenario{_PART}",
        "if": {"required": ["scenario"], "not": {"required": ["extends"]}},
        "then": {"$ref": f"{_REF}Scenario"},
        "$defs": _reachable({**definitions, **parts}, ["Scenario", f"Scenario{_PART}"]),
    }


def published_text() -> str:
    """The text of the published file."""
    return json.dumps(scenario_schema(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _timeline_item(definitions: JsonObject) -> JsonObject:
    """One alternative a message: its fields beside the item's own keys, and the case or the programme it speaks to."""
    item = definitions["TimelineItem"]
    own = {key: each for key, each in item["properties"].items() if key not in ("says", "message", "case", "programme")}
    kinds = []
    for name, message in TIMELINE_KINDS.items():
        properties = {**own, **_fields(definitions, message), "message": {"const": name}}
        required = ["at", "message", *definitions[message.__name__].get("required", [])]
        if name not in PROGRAMME_KINDS:
            properties["case"] = {"type": "string", "minLength": 1, "maxLength": 64}
            required.append("case")
        else:
            properties["programme"] = item["properties"]["programme"]
        kinds.append({"type": "object", "properties": properties, "required": required, "additionalProperties": False})
    return {"description": item["description"], "oneOf": kinds}


def _application(definitions: JsonObject, kind: type[ScenarioApplication]) -> JsonObject:
    """What is filed beside the application's own keys."""
    own: JsonObject = definitions[kind.__name__]
    content = definitions[own["properties"]["content"]["$ref"].removeprefix(_REF)]
    properties = {key: each for key, each in own["properties"].items() if key != "content"}
    required = [key for key in own["required"] if key != "content"]
    return {
        **own,
        "properties": {**properties, **content["properties"]},
        "required": [*required, *content.get("required", [])],
    }


def _with_names_of_cases(schema: Any) -> Any:
    """`schema` with the name of a case in the file wherever it has the id of one."""
    if isinstance(schema, Mapping):
        if schema.get("pattern") == _CASE_ID["pattern"]:
            return {key: each for key, each in schema.items() if key not in _CASE_ID} | _CASE_NAME
        return {key: _with_names_of_cases(each) for key, each in schema.items()}
    return [_with_names_of_cases(each) for each in schema] if isinstance(schema, list) else schema


def _partner_script(definitions: JsonObject) -> JsonObject:
    """A layer may bring a field without the answer it belongs to, so all fields of all answers may stand there."""
    script: JsonObject = definitions["PartnerScript"]
    properties = {key: each for key, each in script["properties"].items() if key != "says"}
    for message in ANSWER_KINDS.values():
        properties |= _fields(definitions, message)
    return {**script, "properties": properties}


def _fields(definitions: JsonObject, message: type[Message]) -> JsonObject:
    properties: JsonObject = definitions[message.__name__]["properties"]
    return {key: each for key, each in properties.items() if key not in ("message", NOT_IN_SCRIPTS)}


def _part(schema: Any) -> Any:
    """`schema` for one layer of several: nothing is required but inside lists, which replace whole."""
    match schema:
        case {"$ref": reference, **rest}:
            return {"$ref": f"{reference}{_PART}", **rest}
        case Mapping():
            kept = {key: each for key, each in schema.items() if key not in ("required", "minProperties")}
            return {key: each if key == "items" else _part(each) for key, each in kept.items()}
        case list():
            return [_part(each) for each in schema]
        case _:
            return schema


def _reachable(definitions: JsonObject, roots: list[str]) -> JsonObject:
    """Those of `definitions` that the roots lead to."""
    found: JsonObject = {}
    while roots:
        name = roots.pop()
        if name not in found:
            found[name] = definitions[name]
            roots += [each for each in definitions if f'"{_REF}{each}"' in json.dumps(definitions[name])]
    return found


def publish() -> None:
    """Write the published file anew (from the project's folder)."""
    PUBLISHED.write_text(published_text(), "utf-8")


if __name__ == "__main__":
    publish()
