"""What both servers share: a line of requests in, a line for each reply out. It imports nothing of either tree."""

import json
import sys
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Protocol

from pydantic import ValidationError

Json = dict[str, Any]

SUMMARY = (
    "stage",
    "waiting_on",
    "since",
    "due_name",
    "due_at",
    "outcome",
    "reason",
    "work_permit",
    "authorized_last_day",
    "paroled_last_day",
    "flags",
    "closed",
    "held",
)
"""The fields of a case's head that both sides must have the same."""


class Playing(Protocol):
    """One case and its programme, held in memory by a server."""

    opened: list[Json]
    """The events that opened the programme."""

    def take(self, request: Json) -> Json:
        """Decide the `command` of the request and go on from its events."""

    def govern(self, request: Json) -> Json:
        """Decide a message of the governments about the programme."""

    def restore(self, request: Json) -> Json:
        """Fold the case from the stored `events` of the request, in place of what it was."""


def serve(begin: Callable[[Json], Playing], known: Mapping[str, list[str]]) -> None:
    """Answer until the input ends. The first line says which files were imported, and the words that `known` lists."""
    _write({"files": _imported(), "known": dict(known)})
    sys.stdout.flush()
    slots: dict[int, Playing] = {}
    for line in sys.stdin:
        for request in json.loads(line):
            _write(_reply(slots, begin, request))
        sys.stdout.flush()


def _reply(slots: dict[int, Playing], begin: Callable[[Json], Playing], request: Json) -> Json:
    slot: int = request["slot"]
    try:
        if "new" in request:
            slots[slot] = begin(request["new"])
            return {"events": slots[slot].opened}
        if "command" in request:
            return slots[slot].take(request)
        if "govern" in request:
            return slots[slot].govern(request)
        return slots[slot].restore(request)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_context=False, include_input=False)
        return {"invalid": [[error["type"], list(error["loc"])] for error in errors]}
    except Exception as failure:  # noqa: BLE001  # a fault of the domain is behaviour too: the other side must have it
        return {"raised": type(failure).__name__}


def _write(reply: Json) -> None:
    sys.stdout.write(json.dumps(reply, sort_keys=True, default=_moment) + "\n")


def _moment(value: date) -> str:
    return value.isoformat()


def _imported() -> list[str]:
    """The files of modules that belong neither to Python, nor to an installed package, nor to the tests."""
    elsewhere = (sys.prefix, sys.base_prefix)
    files = [
        module.__file__
        for name, module in list(sys.modules.items())
        if not name.startswith(("tests.", "__main__")) and getattr(module, "__file__", None)
    ]
    return sorted(file for file in files if file and not file.startswith(elsewhere))
