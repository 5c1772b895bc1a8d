"""The base of everything that may enter Temporal, and the rule of what its fields may be (decision 8).

A `TemporalSafe` class is checked when it is defined: a field that could hold free text, and so a name or an
address, is refused before anybody can fill it.
"""

import enum
import re
import types
import typing
from datetime import date, datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import BaseMetadata, GroupedMetadata, MaxLen
from pydantic import AwareDatetime, BaseModel, ConfigDict

_PLAIN = (bool, int, datetime, date, AwareDatetime, type(None))
_CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]")
_SPACE_IN_CLASS = re.compile(r"^\[\^|\s|\\[sSwWDpP]")


class UnsafeField(TypeError):
    """A field of a `TemporalSafe` class could hold personal data."""


class TemporalSafe(BaseModel):
    """Holds only ids, closed words, numbers, moments and bounded patterns; its errors never repeat the input.

    Unknown keys are refused. A format that grows sets `extra="ignore"` and says so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name, annotation in typing.get_type_hints(cls, include_extras=True).items():
            if name in cls.model_fields:
                _check(annotation, f"{cls.__name__}.{name}")


def _check(annotation: Any, where: str) -> None:
    """Raises `UnsafeField` unless `annotation` can hold nothing but what `TemporalSafe` allows."""
    arguments, metadata = (annotation,), ()
    if get_origin(annotation) is Annotated:
        arguments, metadata = (get_args(annotation)[0],), get_args(annotation)[1:]
    inner = arguments[0]
    if inner is str:
        _check_text(metadata, where)
    elif get_origin(inner) in (Union, types.UnionType):
        for member in get_args(inner):
            _check(Annotated[member, *metadata] if member is str and metadata else member, where)
    elif get_origin(inner) is tuple and get_args(inner)[1:] == (Ellipsis,):
        if not any(isinstance(each, MaxLen) or getattr(each, "max_length", None) for each in _flat(metadata)):
            raise UnsafeField(f"{where}: a tuple needs a max_length")
        _check(get_args(inner)[0], where)
    elif not (inner in _PLAIN or get_origin(inner) is Literal or _is_closed(inner)):
        raise UnsafeField(
            f"{where}: {inner!r} may not enter Temporal; use an id, an enum or Literal, an int, a bool, a moment, "
            "a bounded pattern, or a TemporalSafe class"
        )


def _is_closed(inner: Any) -> bool:
    return isinstance(inner, type) and issubclass(inner, (enum.Enum, TemporalSafe))


def _flat(metadata: tuple[Any, ...]) -> list[Any]:
    flat: list[Any] = []
    for each in metadata:
        flat.append(each)
        if isinstance(each, GroupedMetadata) and not isinstance(each, BaseMetadata):
            flat.extend(each)
        flat.extend(getattr(each, "metadata", ()))
    return flat


def _check_text(metadata: tuple[Any, ...], where: str) -> None:
    flat = _flat(metadata)
    pattern = next((each.pattern for each in flat if isinstance(getattr(each, "pattern", None), str)), None)
    if pattern is None or not (pattern.startswith("^") and pattern.endswith("$")):
        raise UnsafeField(f"{where}: text needs a pattern from ^ to $, or it could hold a name or an address")
    if any(_SPACE_IN_CLASS.search(each) for each in _CLASS.findall(pattern)):
        raise UnsafeField(f"{where}: the pattern admits spaces or open classes, so it could hold free text")
    outside = _CLASS.sub("C", pattern)
    if re.search(r"(?<!\\)[.*+\s]|\\[sSwWDpP]|\{\d+,\}", outside):
        raise UnsafeField(f"{where}: the pattern is not bounded")
