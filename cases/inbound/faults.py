"""What is wrong with a request, in words that hold nothing of what was sent."""

import re
from collections.abc import Iterable
from typing import Any, Final, Literal

from pydantic import BaseModel, Field

FAULTS_MAX: Final = 20
"""Faults named in one answer: enough to correct a request, few enough to bound the answer."""


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    at: str = Field(examples=["/application/supporter/birth_date"])
    """JSON Pointer into the body, or `header <name>`, `path <name>` or `query <name>`."""
    code: str = Field(examples=["date_from_datetime_parsing"])
    detail: str = Field(examples=["Input should be a valid date"])


class BodyRefused(Exception):
    """A body that is not the message it should be. Every text is our own, never the sender's."""

    def __init__(
        self,
        code: Literal["not-json", "malformed", "wrong-partner"],
        detail: str | None = None,
        faults: Iterable[Fault] = (),
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.faults = list(faults)


_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
"""A key that may be repeated in an answer: one plain word, as all known keys are."""

_SPEAKING: Final = frozenset(
    {
        "bool_type",
        "date_from_datetime_parsing",
        "date_parsing",
        "date_type",
        "datetime_parsing",
        "datetime_type",
        "extra_forbidden",
        "greater_than_equal",
        "int_type",
        "less_than_equal",
        "literal_error",
        "missing",
        "model_type",
        "string_pattern_mismatch",
        "string_too_long",
        "string_too_short",
        "string_type",
        "timezone_aware",
        "too_long",
        "tuple_type",
        "value_error",
    }
)
"""Kinds of fault whose text pydantic makes from the schema alone. `value_error` is raised by the project's own
validators, whose texts are constant. The text of any other kind might hold the input and is not passed on."""


def of_body(errors: Iterable[Any]) -> list[Fault]:
    """The faults of a body."""
    return [
        Fault(at=pointer(error["loc"]), code=error["type"], detail=_detail(error))
        for error, _ in zip(errors, range(FAULTS_MAX), strict=False)
    ]


def of_parameters(errors: Iterable[Any]) -> list[Fault]:
    """The faults of headers, path and query."""
    return [
        Fault(at=" ".join(map(_named, error["loc"])), code=error["type"], detail=_detail(error))
        for error, _ in zip(errors, range(FAULTS_MAX), strict=False)
    ]


def pointer(location: Iterable[int | str]) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join(f"/{_named(step)}" for step in location)


def _named(step: int | str) -> str:
    if isinstance(step, int) or _PLAIN_KEY.fullmatch(step):
        return str(step)
    return "(a key that is not a plain word)"


def _detail(error: Any) -> str:
    if error["type"] not in _SPEAKING:
        return "This is not as the OpenAPI document says."
    text: str = error["msg"]
    return text.removeprefix("Value error, ")
