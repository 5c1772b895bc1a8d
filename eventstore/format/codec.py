"""Between an event's class and its stored bodies: an explicit registry of names, never a class path.

`at` is a column (`happened_at`), not part of a body. Fields marked `Personal` go into the personal body, one JSON
object, which `wrapping.py` encrypts; all others into the public body.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import SchemaSerializer, SchemaValidator, to_json

from domain import registry
from domain.access import ACCESS_EVENTS, AccessEvent
from domain.kernel.events import CaseEvent, Personal
from domain.kernel.programme import PROGRAMME_EVENTS, ProgrammeEvent
from eventstore.format.upcast import UPCASTERS, Raw, Step

Event = CaseEvent | ProgrammeEvent | AccessEvent


def name_of(event: type[Event]) -> str:
    """The stored type name of an event's class: the class's own name, which therefore never changes."""
    return event.__name__


class UnknownEvent(Exception):
    """A stored type or version that this program does not know: it is older than the log. Never skipped."""


@dataclass(frozen=True, slots=True)
class _Registered:
    """One class, with what coding needs computed once."""

    name: str
    schema_version: int
    validator: SchemaValidator
    serializer: SchemaSerializer
    not_public: set[str]
    personal: set[str]
    erased: dict[str, object]
    """Personal field to its stand-in; empty where nothing is personal."""
    erased_body: bytes | None
    """The stand-ins as a personal body."""


class Codec:
    """Encodes and decodes the bodies of the events it was given.

    Raises at construction:
        ValueError: two classes share a name, or a version of a class has no upcasting step.
    """

    def __init__(self, events: Iterable[type[Event]], upcasters: Mapping[tuple[str, int], Step]) -> None:
        self._by_name: dict[str, _Registered] = {}
        self._upcasters = upcasters
        for event in events:
            name = name_of(event)
            if name in self._by_name:
                raise ValueError(f"two events are named {name}")
            for version in range(1, event.SCHEMA_VERSION):
                if (name, version) not in upcasters:
                    raise ValueError(f"{name} has no upcasting step from version {version}")
            self._by_name[name] = _register(event)

    def is_personal(self, event: Event) -> bool:
        """Whether the event has personal fields, and so needs the case's key."""
        return bool(self._by_name[name_of(type(event))].erased)

    def encode(self, event: Event) -> tuple[bytes, bytes | None]:
        """The public body and, where the class has personal fields, the personal one; both JSON."""
        known = self._by_name[name_of(type(event))]
        public = known.serializer.to_json(event, exclude=known.not_public)
        return public, known.serializer.to_json(event, include=known.personal) if known.personal else None

    def decode(
        self, name: str, schema_version: int, happened_at: datetime | str, public: bytes, personal: bytes | None
    ) -> Event:
        """The event; `personal` None on a class with personal fields means erased: the stand-ins take their place.

        `happened_at` may be as it is written in a header.

        Raises:
            UnknownEvent: no such type, or a newer version of it.
            pydantic.ValidationError: the bodies are not such an event; the input is not repeated.
        """
        known = self._by_name.get(name)
        if known is None or schema_version > known.schema_version:
            raise UnknownEvent(f"{name} version {schema_version}")
        if schema_version < known.schema_version:
            return self._decode_raw(known, schema_version, happened_at, public, personal)
        if personal is None:
            personal = known.erased_body
        # One pass over the bytes: the bodies joined into one object, no dictionary in between.
        at = happened_at if isinstance(happened_at, str) else happened_at.isoformat()
        whole = b'{"at":"' + at.encode() + b'"'
        if public != b"{}":
            whole += b"," + public[1:-1]
        if personal is not None and personal != b"{}":
            whole += b"," + personal[1:-1]
        event: Event = known.validator.validate_json(whole + b"}")
        return event

    def _decode_raw(
        self,
        known: _Registered,
        schema_version: int,
        happened_at: datetime | str,
        public: bytes,
        personal: bytes | None,
    ) -> Event:
        raw: Raw = json.loads(public)
        hidden: Raw | None = None if personal is None else json.loads(personal)
        for version in range(schema_version, known.schema_version):
            raw, hidden = self._upcasters[known.name, version](raw, hidden)
        event: Event = known.validator.validate_python(
            {**raw, **(known.erased if hidden is None else hidden), "at": happened_at}
        )
        return event


def _register(event: type[Event]) -> _Registered:
    erased: dict[str, Any] = {}
    for name, field in event.model_fields.items():
        marks = [mark for mark in field.metadata if isinstance(mark, Personal)]
        if marks:
            erased[name] = marks[0].erased
    return _Registered(
        name=name_of(event),
        schema_version=event.SCHEMA_VERSION,
        validator=event.__pydantic_validator__,  # type: ignore[arg-type]  # the plugin wrapper has the same methods
        serializer=event.__pydantic_serializer__,
        not_public={"at", *erased},
        personal=set(erased),
        erased=erased,
        erased_body=to_json(erased) if erased else None,
    )


EVENTS: tuple[type[Event], ...] = (*registry.case_events(), *PROGRAMME_EVENTS, *ACCESS_EVENTS)

CODEC = Codec(EVENTS, UPCASTERS)
"""Of every event of every family, of programmes and of the access log."""
