"""A run of a case as its history tells it: what was signalled, what was asked of the log, what the log answered.

Histories are Temporal's own JSON, live or kept. Nothing here knows Temporal: what is read is a stored format, `Step`,
`Advance` and `Notification` among it, which only ever grows.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from domain import registry

APPENDING: Final = frozenset({"open_case", *registry.stages()})
"""The activities that append to a case; `call_partner` does not."""

Source = Literal["live", "kept"]

_ENDS: Final = {
    "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED": "completed",
    "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW": "continued-as-new",
    "EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED": "terminated",
    "EVENT_TYPE_WORKFLOW_EXECUTION_FAILED": "failed",
    "EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT": "timed-out",
    "EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED": "canceled",
}
_TASK_ENDS: Final = ("COMPLETED", "FAILED", "TIMED_OUT")
_RESET: Final = "WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW"


class HistoryUnreadable(ValueError):
    """What should be the history of a case is not; for an engineer to look at."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What was signalled. `number` is None for a message that came as a signal and was in no inbox before it."""

    at_event: int
    kind: str
    message_id: str
    number: int | None
    identity: str
    content: dict[str, Any]
    """Every field, as it was sent."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What an activity said of the case after it: a Step."""

    version: int
    closed: bool
    outcome: str | None
    answers: tuple[tuple[int, str | None, str | None], ...]
    """Inbox number, answer, code."""
    refused: tuple[tuple[str, str], ...] = ()
    """Direct signals that it refused: kind and message id."""


@dataclass(slots=True)
class Asked:
    """One call of an activity that may append, with all its attempts. `reported` is None where it did not come back."""

    at_event: int
    name: str
    asked_at: datetime
    direct: tuple[Signal, ...]
    reported: Reported | None = None
    reported_at: datetime | None = None
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Fork:
    """Where a reset began this run: at event `at_event` of `base_run`, whose way from there on it does not know."""

    base_run: str
    at_event: int


@dataclass(slots=True)
class Run:
    """One run of a case's workflow."""

    run_id: str
    source: Source
    started_at: datetime
    ended_at: datetime | None = None
    ended: str | None = None
    """How, as in `_ENDS`; None while it runs."""
    next_run: str | None = None
    fork: Fork | None = None
    signals: list[Signal] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    task_open: bool = False
    """A workflow task is owed or under way."""

    @property
    def quiet(self) -> bool:
        """It runs and has nothing in hand: it waits."""
        under_way = any(asked.reported is None and not asked.given_up for asked in self.asked)
        return self.ended is None and not self.task_open and not under_way

    @property
    def name(self) -> str:
        """How it is called in a line."""
        return f"run {self.run_id}" + (" (kept)" if self.source == "kept" else "")


def read_run(run_id: str, history: dict[str, Any], source: Source) -> Run:
    """The run that `history` is of. Raises HistoryUnreadable."""
    try:
        return _Reader(run_id, source).read(history["events"])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise HistoryUnreadable(f"run {run_id}: {type(error).__name__}") from None


class _Reader:
    def __init__(self, run_id: str, source: Source) -> None:
        self._run_id = run_id
        self._source: Source = source
        self._by_event: dict[str, Asked] = {}

    def read(self, events: list[dict[str, Any]]) -> Run:
        run = Run(self._run_id, self._source, started_at=_moment(events[0]))
        for event in events:
            attributes: dict[str, Any] = next((each for key, each in event.items() if key.endswith("Attributes")), {})
            self._take(run, event, event["eventType"], attributes)
        return run

    def _take(self, run: Run, event: dict[str, Any], kind: str, attributes: dict[str, Any]) -> None:
        if kind in _ENDS:
            run.ended, run.ended_at = _ENDS[kind], _moment(event)
            run.next_run = attributes.get("newExecutionRunId") or None
        elif kind == "EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED":
            run.signals.extend(_signal(event, attributes))
        elif kind.startswith("EVENT_TYPE_WORKFLOW_TASK_"):
            self._task(run, event, kind, attributes)
        elif kind == "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED":
            self._scheduled(run, event, attributes)
        elif kind.startswith("EVENT_TYPE_ACTIVITY_TASK_"):
            self._returned(event, kind, attributes)

    def _task(self, run: Run, event: dict[str, Any], kind: str, attributes: dict[str, Any]) -> None:
        if kind.endswith("_SCHEDULED"):
            run.task_open = True
        elif kind.endswith(_TASK_ENDS):
            run.task_open = False
            if attributes.get("cause") == _RESET and attributes.get("newRunId") == self._run_id:
                # What comes before was copied from the other run, moments included.
                run.fork, run.started_at = Fork(attributes["baseRunId"], int(event["eventId"]) - 1), _moment(event)

    def _scheduled(self, run: Run, event: dict[str, Any], attributes: dict[str, Any]) -> None:
        name = attributes["activityType"]["name"]
        if name not in APPENDING:
            return
        given = _first(attributes.get("input")) or {}
        at_event = int(event["eventId"])
        direct = tuple(
            Signal(at_event, each["message"], each["notification"]["message_id"], None, "", each["notification"])
            for each in given.get("direct", ())
        )
        asked = Asked(at_event, name, _moment(event), direct)
        self._by_event[event["eventId"]] = asked
        run.asked.append(asked)

    def _returned(self, event: dict[str, Any], kind: str, attributes: dict[str, Any]) -> None:
        asked = self._by_event.get(attributes.get("scheduledEventId", ""))
        if asked is None:
            return
        if kind.endswith("_COMPLETED"):
            asked.reported, asked.reported_at = _reported(_first(attributes.get("result"))), _moment(event)
            asked.given_up = asked.reported is None
        elif kind.endswith(("_FAILED", "_TIMED_OUT", "_CANCELED")):
            asked.given_up = True


def _signal(event: dict[str, Any], attributes: dict[str, Any]) -> Iterator[Signal]:
    """The signal, if it can be read: what cannot be was refused, and nothing followed from it."""
    content = _first(attributes.get("input"))
    if not isinstance(content, dict) or not isinstance(content.get("number"), int | None):
        return
    if isinstance(content.get("message_id"), str):
        yield Signal(
            at_event=int(event["eventId"]),
            kind=attributes["signalName"],
            message_id=content["message_id"],
            number=content.get("number"),
            identity=attributes.get("identity", ""),
            content=content,
        )


def _reported(step: Any) -> Reported | None:
    if not isinstance(step, dict):
        return None
    answers = tuple((each["number"], each.get("answer"), each.get("code")) for each in step.get("answers", ()))
    refused = tuple((each["message"], each["message_id"]) for each in step.get("refused", ()))
    return Reported(int(step["version"]), bool(step.get("closed", False)), step.get("outcome"), answers, refused)


def _first(payloads: Any) -> Any:
    """The first payload as JSON; None where there is none, or none that is JSON."""
    payload: dict[str, Any] = next(iter(payloads.get("payloads", ())), {}) if payloads else {}
    encoding = base64.b64decode(payload.get("metadata", {}).get("encoding", ""))
    return json.loads(base64.b64decode(payload["data"])) if encoding == b"json/plain" else None


def _moment(event: dict[str, Any]) -> datetime:
    """Of an event; nanoseconds are cut."""
    whole, _, fraction = event["eventTime"].removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}+00:00")
