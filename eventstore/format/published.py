"""The published JSON Schemas of the stored events: one file for each type and schema version, frozen once committed.

`python -m eventstore.format.published` writes the files that are missing and never rewrites one. What people may read
of an event is its public body; the personal body's schema says what was encrypted, for whoever holds the key.
A family of somebody else keeps the schemas of its own events in its own package, in `schemas/`.
"""

import json
from collections.abc import Iterable
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from domain import registry
from domain.kernel.events import Personal
from eventstore.format.codec import EVENTS, Event, name_of

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_WORDS: Final = {"title", "description"}
"""What a class is called and said to be may be put better any day; it is no part of the format."""


def file_name(event_type: str, schema_version: int) -> str:
    """The file of one type and version."""
    return f"{event_type}.v{schema_version}.json"


def folder() -> Traversable:
    """Where our files are."""
    return resources.files("eventstore") / "format" / "schemas"


def published(event_type: str, schema_version: int) -> bytes:
    """The file's bytes. Raises FileNotFoundError where there is none."""
    name = file_name(event_type, schema_version)
    for place in (folder(), *(resources.files(package) / "schemas" for package in _others())):
        if (place / name).is_file():
            return (place / name).read_bytes()
    raise FileNotFoundError(name)


def _others() -> tuple[str, ...]:
    """The packages of the families that are not ours."""
    return tuple(family.package for family in registry.families() if family not in registry.OUR_FAMILIES)


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The schema of the class as it is now: of its public body, and of its personal body or null."""
    whole = _without_words(event.model_json_schema(mode="serialization"))
    personal = {
        name for name, field in event.model_fields.items() if any(isinstance(m, Personal) for m in field.metadata)
    }
    return {
        "$schema": DIALECT,
        "type": name_of(event),
        "schema_version": event.SCHEMA_VERSION,
        "public": _part(whole, set(event.model_fields) - personal - {"at"}),
        "personal": _part(whole, personal) if personal else None,
    }


def text_of(schema: dict[str, Any]) -> bytes:
    """The bytes of the file."""
    return (json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def changes(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
    """What a later version of an event says otherwise than an earlier one under the same name, and so must not.

    A field may go and a new one may come; but a name that was ever used keeps its meaning in every later version,
    also where a version between the two did without it.
    """
    found: list[str] = []
    for part in ("public", "personal"):
        before, after = _fields(old, part), _fields(new, part)
        found += [f"{part} field {name}" for name in before.keys() & after.keys() if before[name] != after[name]]
    moved = _fields(old, "personal").keys() & _fields(new, "public").keys()
    return tuple(sorted([*found, *(f"field {name} was personal" for name in moved)]))


def _fields(schema: dict[str, Any], part: str) -> dict[str, Any]:
    body = schema[part] or {"properties": {}}
    return {name: _resolved(field, body.get("$defs", {})) for name, field in body["properties"].items()}


def _resolved(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with every reference replaced by what it names; no schema of ours names itself."""
    if isinstance(schema, list):
        return [_resolved(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolved(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    return {name: _resolved(value, definitions) for name, value in schema.items()}


def _without_words(schema: Any, *, names: bool = False) -> Any:
    """`names`: the keys are names of fields or of definitions, which may be called anything."""
    if isinstance(schema, list):
        return [_without_words(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_words(value, names=not names and key in ("properties", "$defs"))
        for key, value in schema.items()
        if names or key not in _WORDS
    }


def _part(whole: dict[str, Any], names: set[str]) -> dict[str, Any]:
    properties = {name: field for name, field in whole["properties"].items() if name in names}
    part: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": sorted(names & set(whole.get("required", ()))),
    }
    used = _used(properties, whole.get("$defs", {}), {})
    return {**part, "$defs": used} if used else part


def _used(schema: Any, definitions: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    for each in schema if isinstance(schema, list) else schema.values() if isinstance(schema, dict) else ():
        _used(each, definitions, found)
    name = schema["$ref"].removeprefix("#/$defs/") if isinstance(schema, dict) and "$ref" in schema else None
    if name is not None and name not in found:
        found[name] = definitions[name]
        _used(found[name], definitions, found)
    return found


def write_missing(into: Path, events: Iterable[type[Event]] = EVENTS) -> tuple[str, ...]:
    """Write the files of today's classes that are missing; their names."""
    written = []
    for event in events:
        path = into / file_name(name_of(event), event.SCHEMA_VERSION)
        if not path.exists():
            path.write_bytes(text_of(schema_of(event)))
            written.append(path.name)
    return tuple(written)


def write_all() -> None:
    """Write the missing files of every event, each in the package that it is of."""
    ours = list(EVENTS)
    for package in _others():
        theirs = [event for event in ours if event.__module__.startswith(f"{package}.")]
        ours = [event for event in ours if event not in theirs]
        into = Path(str(resources.files(package))) / "schemas"
        into.mkdir(exist_ok=True)
        write_missing(into, theirs)
    write_missing(Path(__file__).parent / "schemas", ours)


if __name__ == "__main__":
    write_all()
