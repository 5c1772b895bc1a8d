"""Messages as partners send them: the fields of the domain's message, and the case or the programme it is about.

Made from `domain/messages.py`, so that the OpenAPI document, the validation and the domain cannot differ.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final, Literal, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from cases.inbound import faults
from cases.inbound.faults import BodyRefused, Fault
from cases.inbound.strict_json import read_object
from domain.application import Application
from domain.ids import CaseId, ProgrammeId
from domain.messages import ApplicationSubmitted, CaseMessage, GovernmentsMessage, Message, Sender

PartnerName = Literal[
    "sponsor_registry",
    "entry_records",
    "vetting",
    "work_permit_office",
    "border",
    "carrier",
    "officer",
    "applicant",
    "supporter",
    "governments",
]
"""Every `Sender` but `passage` itself."""

_YEARS: Final = range(1900, 2200)
"""A date outside these is a mistake, and arithmetic with the first and last years of the calendar would overflow."""
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}")

Wire = TypeVar("Wire", bound=BaseModel)


class Filing(BaseModel):
    """An application to a programme."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    programme: ProgrammeId
    application: Application


class BoardingQuestion(BaseModel):
    """May the beneficiary of this case board now?"""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    case: CaseId


class PartnerMessage(NamedTuple):
    """A valid message and the case, or the programme, that it is about."""

    content: Message
    case_id: CaseId | None
    programme: str | None


def _kinds(union: Any) -> tuple[type[Message], ...]:
    return get_args(get_args(union)[0]) or get_args(union)


def name_of(kind: type[Message]) -> str:
    """The name of a kind of message, such as `vetting.hit`."""
    name: str = kind.model_fields["message"].default
    return name


def _on_the_wire(kind: type[Message], about: Mapping[str, Any]) -> type[Message]:
    # The name has a default in the domain; on the wire it distinguishes the kinds, so it is required.
    named: Any = (kind.model_fields["message"].annotation, ...)
    return create_model(kind.__name__, __base__=kind, __doc__=kind.__doc__, message=named, **about)


_CASE_KINDS: Final = {
    name_of(kind): kind
    for kind in _kinds(CaseMessage)
    if kind is not ApplicationSubmitted and "passage" not in kind.SENDERS  # filed elsewhere; sent by Passage itself
}
_PROGRAMME_KINDS: Final = {name_of(kind): kind for kind in _kinds(GovernmentsMessage)}
KINDS: Final[Mapping[str, type[Message]]] = {**_CASE_KINDS, **_PROGRAMME_KINDS}
WIRE: Final[Mapping[str, type[Message]]] = {
    **{name: _on_the_wire(kind, {"case": (CaseId, ...)}) for name, kind in _CASE_KINDS.items()},
    **{name: _on_the_wire(kind, {"programme": (ProgrammeId, ...)}) for name, kind in _PROGRAMME_KINDS.items()},
}
"""Kind of message to its class on the wire."""


def senders_of(name: str) -> tuple[Sender, ...]:
    """Who may send this kind."""
    return KINDS[name].SENDERS


def read_message(raw: bytes, partner: PartnerName) -> PartnerMessage:
    """The message in a body that `partner` sent.

    Raises:
        BodyRefused: `not-json`, `malformed`, or `wrong-partner` for a kind that another sender sends.
    """
    document = read_object(raw)
    name = document.get("message")
    if not isinstance(name, str) or name not in KINDS:
        detail = "The name of a message is missing" if name is None else "There is no such message"
        raise BodyRefused("malformed", faults=[Fault(at="/message", code="unknown_message", detail=detail)])
    if partner not in senders_of(name):
        raise BodyRefused("wrong-partner", f"{name} comes from {' or '.join(senders_of(name))}.")
    wire = read_as(WIRE[name], raw, document)
    # Valid already: the class on the wire is derived from the domain's.
    content = KINDS[name].model_construct(**{field: getattr(wire, field) for field in KINDS[name].model_fields})
    return PartnerMessage(content, getattr(wire, "case", None), getattr(wire, "programme", None))


def read_as(kind: type[Wire], raw: bytes, document: dict[str, Any] | None = None) -> Wire:
    """The body as `kind`, without converting any value.

    Raises:
        BodyRefused: `not-json` or `malformed`, with the place of every fault.
    """
    if document is None:
        document = read_object(raw)
    try:
        found = kind.model_validate_json(raw, strict=True)
    except ValidationError as error:
        errors = error.errors(include_input=False, include_context=False, include_url=False)
        raise BodyRefused("malformed", faults=faults.of_body(errors)) from None
    mistaken = [
        Fault(at=faults.pointer(path), code="moment_out_of_range", detail="Expected a date or time of 1900 to 2199")
        for path in _mistaken_moments(found, document, ())
    ]
    if mistaken:
        raise BodyRefused("malformed", faults=mistaken)
    return found


def _mistaken_moments(value: Any, raw: Any, path: tuple[int | str, ...]) -> Iterator[tuple[int | str, ...]]:
    """Places of dates out of range, and of times given in seconds, which pydantic accepts even in strict mode."""
    if isinstance(value, BaseModel):
        for name in value.model_fields_set:
            yield from _mistaken_moments(getattr(value, name), raw[name], (*path, name))
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _mistaken_moments(each, raw[index], (*path, index))
    elif isinstance(value, date):
        written = isinstance(value, datetime) and not _RFC3339.match(raw)
        if value.year not in _YEARS or written:
            yield path
