"""The base of everything that may enter Temporal, and the rule of what its fields may be (decision 8).

A `TemporalSafe` class is checked when it is defined: a field that could hold free text, and so a name or an
address, is refused before anybody can fill it.
"""

import enum
import re
import types
import typing
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Literal, Self, Union, get_args, get_origin

from annotated_types import BaseMetadata, GroupedMetadata, MaxLen
from pydantic import AwareDatetime, BaseModel, ConfigDict

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}")
_PLAIN = (bool, int, datetime, date, AwareDatetime, type(None))
_CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]")
_SPACE_IN_CLASS = re.compile(r"^\[\^|\s|\\[sSwWDpP]")


class Coded(Exception):
    """A failure that may be shown: its whole text is its code, which stands in `activities/failures.py`."""

    code: ClassVar[str] = "internal"

    def __init__(self) -> None:
        super().__init__(self.code)


class UnsafeField(TypeError):
    """A field of a `TemporalSafe` class could hold personal data."""


class Summary(str):
    """A line for the Temporal UI: our own words, and in the gaps nothing but ids, codes, numbers and moments."""

    __slots__ = ()

    @classmethod
    def of(cls, template: str, **gaps: int | date | str) -> Self:
        """`template` with its gaps filled, moments to the minute in UTC.

        Raises `UnsafeField` for a gap that could hold free text; `template` is written in the code, never received.
        """
        return cls(template.format(**{name: _shown(name, gap) for name, gap in gaps.items()}))


def _shown(name: str, gap: int | date | str) -> str:
    if isinstance(gap, datetime):
        return gap.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    if isinstance(gap, (int, date, Summary)) or _WORD.fullmatch(gap):
        return str(gap)
    raise UnsafeField(f"{name}: only an id, a code, a number or a moment may stand in a summary")


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


class Unreadable(TemporalSafe):
    """Stands for a payload that its receiver could not read and asked to be told of; nothing of it is kept."""


def _check(annotation: Any, where: str) -> None:
    """Raises `UnsafeField` unless `annotation` can hold nothing but what `TemporalSafe` allows."""
    inner: Any = annotation
    metadata: tuple[Any, ...] = ()
    if get_origin(annotation) is Annotated:
        inner, *rest = get_args(annotation)
        metadata = tuple(rest)
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
