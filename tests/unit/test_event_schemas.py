"""The published schemas of the events: current, frozen, true of every event that was ever stored, and never at odds."""

import json
import shutil
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from eventstore.format import published
from eventstore.format.codec import EVENTS, Event, name_of
from tests.support.golden_events import Golden, goldens

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "eventstore" / "format" / "schemas"
FILES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_the_schema_of_every_event_is_published_and_current(event: type[Event]) -> None:
    stored = published.published(name_of(event), event.SCHEMA_VERSION)
    assert stored == published.text_of(published.schema_of(event)), (
        "the stored form changed: raise SCHEMA_VERSION, add the step to eventstore/format/upcast.py, and write the new "
        "version's file with `python -m eventstore.format.published`; the file that is there stays"
    )


def test_every_version_has_its_file_and_no_file_is_without_its_event() -> None:
    known = {published.file_name(name_of(e), version) for e in EVENTS for version in range(1, e.SCHEMA_VERSION + 1)}
    assert {path.name for path in FILES} == known


@pytest.mark.parametrize("golden", list(goldens()), ids=lambda golden: f"{golden.type}.v{golden.schema_version}")
def test_every_golden_event_is_as_its_schema_says(golden: Golden) -> None:
    schema = json.loads(published.published(golden.type, golden.schema_version))
    for part, body in (("public", golden.public_body), ("personal", golden.personal_body)):
        assert (schema[part] is None) == (body is None)
        if body is not None:
            Draft202012Validator.check_schema(schema[part])
            Draft202012Validator(schema[part]).validate(json.loads(body))


def test_no_version_says_otherwise_than_any_before_it() -> None:
    by_type: dict[str, list[dict[str, Any]]] = {}
    for path in FILES:
        schema = json.loads(path.read_bytes())
        by_type.setdefault(schema["type"], []).append(schema)
    for versions in by_type.values():
        for old, new in combinations(sorted(versions, key=lambda schema: int(schema["schema_version"])), 2):
            assert published.changes(old, new) == ()


def _schema(public: dict[str, Any], personal: dict[str, Any] | None = None, **definitions: Any) -> dict[str, Any]:
    body = {"properties": public, "$defs": definitions}
    return {"public": body, "personal": None if personal is None else {"properties": personal}}


def test_a_field_that_comes_back_with_another_meaning_is_noticed_across_the_version_between() -> None:
    first, second = _schema({"a": {"type": "string"}}), _schema({})
    third = _schema({"a": {"type": "integer"}})
    assert published.changes(first, second) == published.changes(second, third) == ()
    assert published.changes(first, third) == ("public field a",)


def test_a_meaning_that_changed_in_a_definition_or_became_public_is_noticed() -> None:
    field = {"f": {"$ref": "#/$defs/D"}}
    old, new = _schema(field, D={"enum": ["a"]}), _schema(field, D={"enum": ["a", "b"]})
    assert published.changes(old, new) == ("public field f",)
    was_personal = _schema({}, {"name": {"type": "string"}})
    assert published.changes(was_personal, _schema({"name": {"type": "string"}})) == ("field name was personal",)


def _git(*arguments: str) -> list[str]:
    git = shutil.which("git")
    assert git is not None
    return subprocess.run([git, *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def test_no_file_was_ever_changed_or_taken_away() -> None:
    folders = ("--", "eventstore/format/schemas", "tests/golden/events", "tests/golden/cases")
    changes = ("--diff-filter=MDT", "--no-renames", "--name-only", *folders)
    frozen = _git("log", "-1", "--diff-filter=A", "--no-renames", "--format=%H", "--", "tests/golden/FROZEN.md")
    changed = _git("diff", "HEAD", *changes)
    if frozen:
        changed += _git("log", "--format=", f"{frozen[0]}..HEAD", *changes)
    assert changed == [], "what was stored once is read for ever: restore these files and write new ones"


def test_missing_files_are_written_and_none_is_rewritten(tmp_path: Path) -> None:
    kept = tmp_path / FILES[0].name
    kept.write_bytes(b"frozen")
    assert len(published.write_missing(tmp_path)) == len(EVENTS) - 1
    assert kept.read_bytes() == b"frozen"
