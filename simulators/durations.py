"""ISO 8601 durations of fixed length, such as `P3D` (72 hours), `PT1H`, `P1DT12H`, `P2W`; no years, no months."""

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS: Final = (("weeks", "W"), ("days", "D"), ("hours", "H"), ("minutes", "M"), ("seconds", "S"))
_WEEKS, _DAYS, _HOURS, _MINUTES, _SECONDS = (rf"(?:(?P<{unit}>[0-9]{{1,8}}){sign})?" for unit, sign in _UNITS)
_DURATION: Final = re.compile(rf"P(?=[0-9T]){_WEEKS}{_DAYS}(?:T(?=[0-9]){_HOURS}{_MINUTES}{_SECONDS})?")

SCHEMA_PATTERN: Final = (
    "^P(?=[0-9T])([0-9]{1,8}W)?([0-9]{1,8}D)?(T(?=[0-9])([0-9]{1,8}H)?([0-9]{1,8}M)?([0-9]{1,8}S)?)?$"
)

LONGEST: Final = timedelta(days=36525)
"""A hundred years: longer than any life of a case, and far from where moments overflow."""


def parse_duration(text: object) -> timedelta:
    """The duration that `text` names. Raises `ValueError` for anything else, and for more than `LONGEST`."""
    if isinstance(text, timedelta):
        return text
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("not a duration of weeks, days, hours, minutes and seconds, such as P3D, PT1H or P1DT12H")
    duration = timedelta(**{unit: int(number) for unit, number in found.groupdict().items() if number})
    if duration > LONGEST:
        raise ValueError("longer than a hundred years")
    return duration


def format_duration(duration: timedelta) -> str:
    """`duration`, of whole seconds, as `parse_duration` reads it."""
    return f"P{duration.days}DT{duration.seconds}S"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": SCHEMA_PATTERN, "examples": ["P3D", "PT1H", "P1DT12H"]}),
]
