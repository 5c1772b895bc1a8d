"""Messages as partners send them: the fields of the domain's message, and the case or the programme it is about.

Made from the families' messages, so that the OpenAPI document, the validation and the domain cannot differ.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, NamedTuple, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, WithJsonSchema, create_model

from cases.inbound import faults
from cases.inbound.faults import BodyRefused, Fault
from cases.inbound.strict_json import read_object
from domain import registry
from domain.kernel.definition import name_of
from domain.kernel.family import Family
from domain.kernel.ids import CaseId, ProgrammeId
from domain.kernel.messages import GovernmentsMessage, Message, Submission


def _known(sender: str) -> str:
    if sender not in registry.senders():
        raise ValueError("nobody of this name sends messages")
    return sender


PartnerName = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(registry.senders())})
]
"""Whoever may send a message: partners, officers, applicants, supporters and governments."""

_YEARS: Final = range(1900, 2200)
"""A date outside these is a mistake, and arithmetic with the first and last years of the calendar would overflow."""
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}")

Wire = TypeVar("Wire", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class BoardingQuestion(_Strict):
    """May the beneficiary of this case board now?"""

    case: CaseId


class PartnerMessage(NamedTuple):
    """A valid message and the case, or the programme, that it is about."""

    content: Message
    case_id: CaseId | None
    programme: str | None


class Filing(NamedTuple):
    """A valid filing, and the programme that it is filed under."""

    submission: Submission
    programme: str


def _on_the_wire(kind: type[Message], about: Mapping[str, Any]) -> type[Message]:
    # The name has a default in the domain; on the wire it distinguishes the kinds, so it is required.
    named: Any = (kind.model_fields["message"].annotation, ...)
    return create_model(kind.__name__, __base__=kind, __doc__=kind.__doc__, message=named, **about)


def _filing_of(family: Family) -> type[BaseModel]:
    kind = family.submission
    fields: Any = {
        name: (field.rebuild_annotation(), ...) for name, field in kind.model_fields.items() if name != "message"
    }
    name = "".join(word.capitalize() for word in re.split(r"[^a-zA-Z0-9]+", family.name)) + "Filing"
    return create_model(name, __base__=_Strict, __doc__=kind.__doc__, programme=(ProgrammeId, ...), **fields)


FILINGS: Final[Mapping[str, type[BaseModel]]] = {each.name: _filing_of(each) for each in registry.families()}
"""By family: what is filed under one of its programmes."""

_CASE_KINDS: Final[Mapping[str, tuple[type[Message], ...]]] = {
    name: tuple(dict.fromkeys(each.kind for each in found))
    for name, found in registry.signals().items()
    # What begins a case is filed elsewhere, and what Passage says itself nobody else may.
    if not any(issubclass(each.kind, Submission) or "passage" in each.kind.SENDERS for each in found)
}
_PROGRAMME_KINDS: Final = {name_of(kind): kind for kind in get_args(GovernmentsMessage)}
_ON_THE_WIRE: Final[Mapping[type[Message], type[Message]]] = {
    **{kind: _on_the_wire(kind, {"case": (CaseId, ...)}) for of in _CASE_KINDS.values() for kind in of},
    **{kind: _on_the_wire(kind, {"programme": (ProgrammeId, ...)}) for kind in _PROGRAMME_KINDS.values()},
}
WIRE: Final[Mapping[str, tuple[type[Message], ...]]] = {
    **{name: tuple(_ON_THE_WIRE[kind] for kind in kinds) for name, kinds in _CASE_KINDS.items()},
    **{name: (_ON_THE_WIRE[kind],) for name, kind in _PROGRAMME_KINDS.items()},
}
"""Kind of message to its class on the wire, one a family where families take different ones of a name."""


def senders_of(name: str) -> tuple[str, ...]:
    """Who may send this kind."""
    return tuple(dict.fromkeys(sender for kind in WIRE[name] for sender in kind.SENDERS))


def _kind_of(name: str, case_id: object) -> type[Message]:
    """The kind of this name that the case's family takes; of a case that no programme has, any."""
    if name in _PROGRAMME_KINDS:
        of_programmes: type[Message] = _PROGRAMME_KINDS[name]
        return of_programmes
    first, *_ = _CASE_KINDS[name]
    try:
        kind = registry.family_of(case_id).kind_of(name) if isinstance(case_id, str) else first
    except registry.UnknownProgramme:
        return first
    if kind is None:
        detail = "Cases of this programme take no such message"
        raise BodyRefused("malformed", faults=[Fault(at="/message", code="unknown_message", detail=detail)])
    return kind


def read_message(raw: bytes, partner: str) -> PartnerMessage:
    """The message in a body that `partner` sent.

    Raises:
        BodyRefused: `not-json`, `malformed`, or `wrong-partner` for a kind that another sender sends.
    """
    document = read_object(raw)
    name = document.get("message")
    if not isinstance(name, str) or name not in WIRE:
        detail = "The name of a message is missing" if name is None else "There is no such message"
        raise BodyRefused("malformed", faults=[Fault(at="/message", code="unknown_message", detail=detail)])
    if partner not in senders_of(name):
        raise BodyRefused("wrong-partner", f"{name} comes from {' or '.join(senders_of(name))}.")
    kind = _kind_of(name, document.get("case"))
    wire = read_as(_ON_THE_WIRE[kind], raw, document)
    # Valid already: the class on the wire is derived from the domain's.
    content = kind.model_construct(**{field: getattr(wire, field) for field in kind.model_fields})
    return PartnerMessage(content, getattr(wire, "case", None), getattr(wire, "programme", None))


def read_filing(raw: bytes) -> Filing:
    """The filing in a body, as the family of its programme reads it.

    Raises:
        BodyRefused: `not-json` or `malformed`; where there is no such programme, as any family's.
    """
    document = read_object(raw)
    named = registry.programmes().get(str(document.get("programme")))
    family = named.family if named else registry.families()[0]
    filed = read_as(FILINGS[family.name], raw, document)
    kind = family.submission
    content = {field: getattr(filed, field) for field in kind.model_fields if field != "message"}
    return Filing(kind.model_construct(message=name_of(kind), **content), getattr(filed, "programme", ""))


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
