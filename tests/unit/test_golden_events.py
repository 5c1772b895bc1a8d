"""What was ever stored is readable for ever: one file for each type and schema version of an event."""

import json
from typing import Any

import pytest

from eventstore.format.codec import CODEC, EVENTS, Event, name_of
from tests.support.golden_events import EXAMPLES, FOLDER, Golden, file_of, goldens, stored_as

ALL = list(goldens())


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_every_version_of_every_event_has_its_file(event: type[Event]) -> None:
    missing = [
        file_of(name_of(event), version).name
        for version in range(1, event.SCHEMA_VERSION + 1)
        if not file_of(name_of(event), version).exists()
    ]
    assert not missing, f"write {missing} with `python -m tests.support.golden_events` and commit them"


def test_no_file_is_left_without_its_event() -> None:
    assert {golden.type for golden in ALL} == {name_of(event) for event in EVENTS}
    assert len(ALL) == len(list(FOLDER.iterdir()))


@pytest.mark.parametrize("golden", ALL, ids=lambda golden: f"{golden.type}.v{golden.schema_version}")
def test_what_was_stored_is_still_read(golden: Golden) -> None:
    personal = None if golden.personal_body is None else golden.personal_body.encode()
    event = CODEC.decode(golden.type, golden.schema_version, golden.happened_at, golden.public_body.encode(), personal)
    assert (name_of(type(event)), event.at) == (golden.type, golden.happened_at)
    examples = [each for each in EXAMPLES if type(each) is type(event)]
    if golden.schema_version == event.SCHEMA_VERSION:
        assert [event] == examples


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: name_of(type(event)))
def test_an_event_is_still_stored_in_the_same_bytes(event: Event) -> None:
    golden = next(each for each in ALL if (each.type, each.schema_version) == stored_as(event)[:2])
    assert stored_as(event) == golden, (
        "the stored form of this event changed: raise its SCHEMA_VERSION, add the step to "
        "eventstore/format/upcast.py and a new file, and leave this one as it is"
    )


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: name_of(type(event)))
def test_an_erased_event_is_read_with_its_stand_ins(event: Event) -> None:
    golden = stored_as(event)
    erased = CODEC.decode(golden.type, golden.schema_version, event.at, golden.public_body.encode(), None)
    kept = json.loads(golden.public_body)
    assert {name: json.loads(erased.model_dump_json())[name] for name in kept} == kept
    hidden = json.loads(golden.personal_body or "{}")
    said = erased.model_dump_json()
    assert not [text for text in _texts(hidden) if len(text) > 8 and text in said]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in _texts(each)]
