"""Reads the history of a run from Temporal as JSON that may be kept for good.

Passage's own payload converter lets only ids, codes and moments into Temporal. What others wrote past it (a signal as
raw JSON, the reason of a termination, a memo) may be anything, and what is stored can never be erased. So a text is
kept if it is one plain word, a payload if its receiver could read it, and everything else is visibly left out. An
omitted payload reads as unreadable, which it was to the workflow.
"""

import base64
import json
import re
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, Final, TypeVar

from google.protobuf.json_format import MessageToDict
from pydantic import ValidationError
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts import CaseStart, MessageRef, Notification
from activities.safe import TemporalSafe
from eventstore.format.histories import HistoryTooLarge

_T = TypeVar("_T")

HISTORY_EVENTS_MAX: Final = 51_200
"""Temporal's own limit of a run."""
RUNS_MAX: Final = 200
"""Runs of one case: usually two, and one more for each restart, reset, or message after its close."""
_RPC_TIMEOUT: Final = timedelta(seconds=10)

NOT_KEPT: Final = "[not kept]"
_PAYLOAD_NOT_KEPT: Final = {"metadata": {"encoding": base64.b64encode(b"not-kept").decode()}}

_WORD: Final = re.compile(r"[A-Za-z0-9_.:@/+=-]{0,200}")
_FREE_TEXT: Final = frozenset(
    {"memo", "header", "userMetadata", "reason", "details", "stackTrace", "encodedAttributes", "links"}
)
"""Fields that hold free text. Summaries only repeat other fields in words."""
_NULL: Final = base64.b64encode(b"binary/null").decode()
_JSON: Final = base64.b64encode(b"json/plain").decode()

_FROM_OUTSIDE: Final[dict[str, type[TemporalSafe]]] = {
    "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED": CaseStart,
    "EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED": Notification,
    "EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED": MessageRef,
}
"""Events whose payloads anybody with access to Temporal can write. All other payloads passed our converter."""


async def read_history(client: Client, case_id: str, run_id: str) -> dict[str, Any]:
    """The history of a run, in the form of Temporal's own JSON, safe to be kept.

    Raises:
        RPCError: Temporal cannot be reached, or has no such run (any more).
        HistoryTooLarge: more than `HISTORY_EVENTS_MAX` events.
    """
    events: list[dict[str, Any]] = []
    handle = client.get_workflow_handle(case_id, run_id=run_id)
    async for event in handle.fetch_history_events(rpc_timeout=_RPC_TIMEOUT):
        if len(events) >= HISTORY_EVENTS_MAX:
            raise HistoryTooLarge
        events.append(safe_event(MessageToDict(event)))
    return {"events": events}


def safe_event(event: dict[str, Any]) -> dict[str, Any]:
    """The event without anything that must not be stored."""
    outside = _FROM_OUTSIDE.get(event.get("eventType", ""))
    kept: dict[str, Any] = _kept(event, outside)
    return kept


def _kept(node: Any, outside: type[TemporalSafe] | None) -> Any:
    if isinstance(node, dict):
        if isinstance(node.get("metadata"), dict) and "encoding" in node["metadata"]:
            return node if _is_safe(node, outside) else _PAYLOAD_NOT_KEPT
        return {
            # A search attribute is a word, whatever the event holds beside it.
            key: _kept(value, None if key == "searchAttributes" else outside)
            for key, value in node.items()
            if key not in _FREE_TEXT
        }
    if isinstance(node, list):
        return [_kept(each, outside) for each in node]
    return NOT_KEPT if isinstance(node, str) and not _WORD.fullmatch(node) else node


def _is_safe(payload: dict[str, Any], outside: type[TemporalSafe] | None) -> bool:
    encoding = payload["metadata"]["encoding"]
    if encoding == _NULL and "data" not in payload:
        return True
    if encoding != _JSON:
        return False
    text = base64.b64decode(payload.get("data", ""))
    try:
        if outside is None:
            return _only_words(json.loads(text))
        outside.model_validate_json(text)
    except (ValidationError, ValueError):
        return False
    return True


def _only_words(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_WORD.fullmatch(key) and _only_words(each) for key, each in value.items())
    if isinstance(value, list):
        return all(map(_only_words, value))
    return not isinstance(value, str) or _WORD.fullmatch(value) is not None


async def live_histories(client: Client, case_id: str) -> dict[str, dict[str, Any]]:
    """Every run of a case that Temporal still has, by its id.

    Temporal's list lags by moments: the newest run, and those that another went on as, are asked for by themselves.

    Raises:
        RPCError: Temporal cannot be reached.
        HistoryTooLarge: a run, or more than `RUNS_MAX` of them.
    """
    found: dict[str, dict[str, Any]] = {}
    waiting = [each.run_id async for each in client.list_workflows(f"WorkflowId = '{case_id}'", limit=RUNS_MAX + 1)]
    newest = await _or_none(client.get_workflow_handle(case_id).describe())
    waiting += [] if newest is None else [newest.run_id]
    while waiting:
        run_id = waiting.pop()
        if run_id in found:
            continue
        if len(found) >= RUNS_MAX:
            raise HistoryTooLarge
        history = await _or_none(read_history(client, case_id, run_id))
        if history is not None:
            found[run_id] = history
            waiting += _went_on_as(history)
    return found


def _went_on_as(history: dict[str, Any]) -> list[str]:
    last: dict[str, Any] = history["events"][-1]
    return [
        value["newExecutionRunId"]
        for value in last.values()
        if isinstance(value, dict) and "newExecutionRunId" in value
    ]


async def _or_none(asked: Awaitable[_T]) -> _T | None:
    try:
        return await asked
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
