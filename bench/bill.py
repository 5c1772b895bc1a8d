"""What histories say a case costs: events, and the actions that Temporal Cloud bills."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

ACTIONS: Final = {
    "WORKFLOW_EXECUTION_STARTED": 1,
    "WORKFLOW_EXECUTION_SIGNALED": 1,
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": 1,
    "ACTIVITY_TASK_SCHEDULED": 1,
    "TIMER_STARTED": 1,
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES": 1,
}
"""Temporal's price list, July 2026: workflow tasks and a filing's first search attributes are free."""

OF_A_FRESH_RUN: Final = 11
"""Events that only continue-as-new causes: its own; the new run's start, first workflow task and `open_case`, and the
workflow task that takes its result. The budget leaves them out."""


def kinds(history: dict[str, Any]) -> list[str]:
    """The event types of a run, in order."""
    return [event["eventType"].removeprefix("EVENT_TYPE_") for event in history["events"]]


def billed(histories: Sequence[dict[str, Any]]) -> Counter[str]:
    """How often a case, over all its runs, did each thing that costs."""
    counted = Counter(kind for history in histories for kind in kinds(history))
    return Counter({kind: counted[kind] for kind in ACTIONS if counted[kind]})


def actions(histories: Sequence[dict[str, Any]]) -> int:
    """Billable actions of a case without retries; each fresh run costs two more, which the budget leaves out."""
    priced = sum(ACTIONS[kind] * times for kind, times in billed(histories).items())
    return priced - 2 * (len(histories) - 1)


def events(histories: Sequence[dict[str, Any]]) -> int:
    """History events of a case, continue-as-new left out."""
    return sum(len(history["events"]) for history in histories) - OF_A_FRESH_RUN * (len(histories) - 1)
