"""Where the stored bodies of the checkout may differ from those of the older commit: fields added, and their values."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Added:
    """A field that the checkout adds to the body of an event."""

    event: str
    part: Literal["public", "personal"]
    path: tuple[str, ...]
    """From the body to the field; `*` stands for every item of a list. For example `("basis", "results", "*", "x")`."""
    value: Callable[[Json], object]
    """What it must be, by the request that was decided."""


ADDED: tuple[Added, ...] = ()
"""Every difference that is allowed; none today."""


def without_added(request: Json, reply: Json, table: tuple[Added, ...] = ADDED) -> Json:
    """The reply without the fields that are allowed; one with another value than allowed stays, and so is found."""
    for event in reply.get("events", ()):
        for added in table:
            if added.event == event["type"] and event[added.part] is not None:
                for holder in _holders(event[added.part], added.path[:-1]):
                    _drop(holder, added.path[-1], added.value(request))
    return reply


def _drop(holder: Any, name: str, value: object) -> None:
    if isinstance(holder, dict) and name in holder and holder[name] == value:
        del holder[name]


def _holders(body: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if not path:
        yield body
    elif path[0] == "*":
        for item in body if isinstance(body, list) else ():
            yield from _holders(item, path[1:])
    elif isinstance(body, dict) and path[0] in body:
        yield from _holders(body[path[0]], path[1:])
