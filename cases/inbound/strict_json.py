"""Strict reading of JSON from outside: one bounded object, no key twice, and only text that a database can store."""

import json
import re
from collections import Counter
from typing import Any, Final, NoReturn

from cases.inbound.faults import BodyRefused, Fault, pointer

BODY_MAX_BYTES: Final = 256 * 1024
"""An application with a hundred entries and a hundred documents is some 60 KiB."""
DEPTH_MAX: Final = 12
"""Levels of nesting; an application needs five."""

_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
"""Characters that JSON can express and Postgres cannot store."""

_Path = tuple[int | str, ...]


def read_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`.

    Raises:
        BodyRefused: `not-json`; or `malformed`, with the place that is nested too deeply, has a key twice, or has a
            character that cannot be stored.
    """
    try:
        document = _DECODER.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):  # not UTF-8 and a number of thousands of digits are ValueErrors too
        raise BodyRefused("not-json") from None
    if not isinstance(document, dict):
        raise BodyRefused("not-json", "The body is not a JSON object.")
    _check(document)
    return document


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise BodyRefused(
            "malformed", faults=[Fault(at=pointer((twice,)), code="key_twice", detail="A key stands twice")]
        )
    return found


def _no_constant(_: str) -> NoReturn:
    raise BodyRefused("not-json", "NaN and Infinity are not JSON.")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_each_key_once, parse_constant=_no_constant)


def _check(document: dict[str, Any]) -> None:
    waiting: list[tuple[_Path, Any]] = [((), document)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            _check_text(path, value)
        elif isinstance(value, dict | list):
            if len(path) >= DEPTH_MAX:
                raise BodyRefused(
                    "malformed", faults=[Fault(at=pointer(path), code="too_deep", detail="Nested too deeply")]
                )
            children = value.items() if isinstance(value, dict) else enumerate(value)
            for step, child in children:
                if isinstance(step, str):
                    _check_text((*path, step), step)
                waiting.append(((*path, step), child))


def _check_text(path: _Path, text: str) -> None:
    found = _UNSTORABLE.search(text)
    if found is None:
        return
    if found[0] == "\0":
        fault = Fault(at=pointer(path), code="nul_character", detail="A NUL character cannot be kept")
    else:
        fault = Fault(at=pointer(path), code="lone_surrogate", detail="Half of a surrogate pair is not a character")
    raise BodyRefused("malformed", faults=[fault])
