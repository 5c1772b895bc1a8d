"""Which direct signals must be in the inbox: those that the activity would have written there, by the same rules."""

import base64
import json
from typing import Any

import pytest

from audit.reconcile.history import Signal, read_run
from audit.reconcile.signals import expected_in_inbox
from tests.support.reconciling import signal


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (signal("sponsor.confirmed"), ["sponsor_registry:VEN-7Q4K-M2XS:ops-9"]),
        (signal("application.withdrawn", source="supporter"), ["supporter:VEN-7Q4K-M2XS:ops-9"]),
        (signal("sponsor.confirmed", source="border"), []),
        (signal("officer.decided", officer="o-1", decision="deny"), []),
        (signal("place.offered"), []),
        (signal("sponsor.not_confirmed", why="A whole sentence"), []),
        (signal("evidence.submitted"), []),
        (signal("no.such.kind"), []),
        (signal("sponsor.confirmed", anything="else"), []),
    ],
)
def test_only_a_signal_that_could_be_a_message_is_expected_in_the_inbox(sent: Signal, expected: list[str]) -> None:
    assert list(expected_in_inbox("VEN-7Q4K-M2XS", sent)) == expected


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        "text",
        7,
        {},
        {"message_id": 7},
        {"message_id": "m-1", "number": [1]},
        {"message_id": "m-1", "number": "x"},
    ],
)
def test_a_signal_that_nobody_could_read_is_none(sent: Any) -> None:
    payload = {
        "metadata": {"encoding": base64.b64encode(b"json/plain").decode()},
        "data": base64.b64encode(json.dumps(sent).encode()).decode(),
    }
    event = {
        "eventId": "1",
        "eventTime": "2026-11-24T08:00:00Z",
        "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED",
        "workflowExecutionSignaledEventAttributes": {"signalName": "vetting.hit", "input": {"payloads": [payload]}},
    }
    assert read_run("run-1", {"events": [event]}, "live").signals == []


@pytest.mark.parametrize("given", [{}, {"payloads": []}])
def test_a_signal_without_a_payload_is_none(given: Any) -> None:
    event = {
        "eventId": "1",
        "eventTime": "2026-11-24T08:00:00Z",
        "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED",
        "workflowExecutionSignaledEventAttributes": {"signalName": "vetting.hit", "input": given},
    }
    assert read_run("run-1", {"events": [event]}, "live").signals == []
