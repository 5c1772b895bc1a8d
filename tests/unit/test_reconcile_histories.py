"""What of a Temporal history is kept for good, and that what is kept is read back as it was."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from eventstore.format.histories import HistoryDamaged, pack, unpack
from relay.histories import NOT_KEPT, safe_event
from tests.support.replay import HISTORIES
from workflows.case import Case
from workflows.payloads import DATA_CONVERTER, CallStackAnswers
from workflows.runner import RUNNER

RECORDED = sorted(HISTORIES.glob("*.json"))
PAYLOAD_NOT_KEPT = base64.b64encode(b"not-kept").decode()
MARIA = "María Rojas, 151234567"


def recorded(path: Path) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = json.loads(path.read_text())["events"]
    return events


def payload(value: object, encoding: str = "json/plain") -> dict[str, Any]:
    return {
        "metadata": {"encoding": base64.b64encode(encoding.encode()).decode()},
        "data": base64.b64encode(json.dumps(value).encode()).decode(),
    }


def signalled(value: object, **attributes: Any) -> dict[str, Any]:
    return {
        "eventId": "7",
        "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED",
        "workflowExecutionSignaledEventAttributes": {
            "signalName": "vetting.hit", "input": {"payloads": [payload(value)]}, **attributes
        },
    }  # fmt: skip


def everything_in(event: dict[str, Any]) -> str:
    """Its JSON, and what its payloads hold."""
    text = json.dumps(event, ensure_ascii=False)
    pending: list[Any] = [event]
    while pending:
        node = pending.pop()
        pending += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        if isinstance(node, dict) and isinstance(node.get("data"), str):
            text += base64.b64decode(node["data"]).decode()
    return text


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_what_is_kept_of_a_recorded_case_still_replays(path: Path) -> None:
    events = recorded(path)
    kept = [safe_event(event) for event in events]
    replayer = Replayer(
        workflows=[Case], data_converter=DATA_CONVERTER, interceptors=[CallStackAnswers()], workflow_runner=RUNNER
    )
    case_id = events[0]["workflowExecutionStartedEventAttributes"]["workflowId"]
    await replayer.replay_workflow(WorkflowHistory.from_json(case_id, {"events": kept}))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_of_a_recorded_case_every_payload_that_could_be_read_is_kept(path: Path) -> None:
    for event in recorded(path):
        kept = json.dumps(safe_event(event))
        unread = event.get("workflowExecutionSignaledEventAttributes", {}).get("signalName") == "no.such.signal"
        assert PAYLOAD_NOT_KEPT not in kept or unread
        assert NOT_KEPT not in kept


@pytest.mark.parametrize(
    "event",
    [
        signalled({"message_id": "m-1", "why": MARIA}),
        signalled({"message_id": "m-1", "name": "Maria"}),
        signalled([MARIA]),
        signalled({"message_id": "m-1"}, identity=MARIA, header={"fields": {"x": payload(MARIA)}}),
        signalled({"message_id": "m-1"}, memo={"fields": {"x": payload("Maria")}}),
        {
            "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED",
            "workflowExecutionTerminatedEventAttributes": {"reason": "Maria", "details": payload("Maria")},
        },
        {
            "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
            "userMetadata": {"summary": payload(MARIA)},
            "workflowExecutionStartedEventAttributes": {"input": {"payloads": [payload({"case_id": MARIA})]}},
        },
        {
            "eventType": "EVENT_TYPE_WORKFLOW_TASK_FAILED",
            "workflowTaskFailedEventAttributes": {"failure": {"message": MARIA, "stackTrace": MARIA}},
        },
        {
            "eventType": "EVENT_TYPE_ACTIVITY_TASK_COMPLETED",
            "activityTaskCompletedEventAttributes": {"result": {"payloads": [payload({"note": MARIA})]}},
        },
        {
            "eventType": "EVENT_TYPE_ACTIVITY_TASK_COMPLETED",
            "activityTaskCompletedEventAttributes": {"result": {"payloads": [payload(MARIA, "binary/plain")]}},
        },
    ],
    ids=range(10),
)  # fmt: skip
def test_nothing_personal_is_kept_wherever_somebody_put_it(event: dict[str, Any]) -> None:
    assert "Mar" in everything_in(event).replace("\\u00ed", "í")
    kept = everything_in(safe_event(event))
    assert "Mar" not in kept
    assert event["eventType"] in kept


def test_what_was_left_out_shows() -> None:
    kept = safe_event(signalled({"message_id": "m-1"}, identity=MARIA))
    assert kept["workflowExecutionSignaledEventAttributes"]["identity"] == NOT_KEPT


def test_a_history_is_read_back_and_equal_histories_are_equal_bytes() -> None:
    packed = pack({"b": 1, "a": "é"})
    assert packed == pack({"a": "é", "b": 1})
    assert json.loads(unpack(packed.content, packed.size)) == {"a": "é", "b": 1}


@pytest.mark.parametrize("size", [0, 10, 12, 2**40])
def test_nothing_is_unpacked_beyond_the_size_on_record(size: int) -> None:
    packed = pack({"a": 12345})
    assert packed.size == 11
    with pytest.raises(HistoryDamaged):
        unpack(packed.content, size)
