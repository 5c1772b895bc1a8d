"""What a history says: whether anything is under way, and what the case costs in events and billed actions."""

from collections import Counter
from typing import Any

from activities.contracts import CASES_TASK_QUEUE

ACTIONS = {
    "WORKFLOW_EXECUTION_STARTED": 1,
    "WORKFLOW_EXECUTION_SIGNALED": 1,
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": 1,
    "ACTIVITY_TASK_SCHEDULED": 1,
    "TIMER_STARTED": 1,
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES": 1,
}
"""Temporal's price list, July 2026: workflow tasks and a filing's first search attributes are free."""

OF_A_FRESH_RUN = 11
"""Events that only continue-as-new causes: its own; the new run's start, first workflow task and `open_case`, and the
workflow task that takes its result. The budget leaves them out."""


def kinds(history: dict[str, Any]) -> list[str]:
    """The event types of a run, in order."""
    return [event["eventType"].removeprefix("EVENT_TYPE_") for event in history["events"]]


def actions(histories: list[dict[str, Any]]) -> int:
    """Billable actions of a case without retries; each fresh run costs two more, which the budget leaves out."""
    counted = Counter(kind for history in histories for kind in kinds(history))
    fresh_runs = len(histories) - 1
    return sum(price * counted[kind] for kind, price in ACTIONS.items()) - 2 * fresh_runs


def events(histories: list[dict[str, Any]]) -> int:
    """History events of a case, continue-as-new left out."""
    return sum(len(history["events"]) for history in histories) - OF_A_FRESH_RUN * (len(histories) - 1)


def is_idle(history: dict[str, Any]) -> bool:
    """No workflow task is under way, nor an activity of the case's own task queue."""
    counted = Counter(kinds(history))
    tasks = counted["WORKFLOW_TASK_SCHEDULED"] - sum(
        counted[f"WORKFLOW_TASK_{end}"] for end in ("COMPLETED", "FAILED", "TIMED_OUT")
    )
    queues = {
        event["eventId"]: event["activityTaskScheduledEventAttributes"]["taskQueue"]["name"]
        for event in history["events"]
        if "activityTaskScheduledEventAttributes" in event
    }
    ended = {
        event[key]["scheduledEventId"]
        for event in history["events"]
        for key in ("activityTaskCompletedEventAttributes", "activityTaskFailedEventAttributes")
        if key in event
    }
    own = {each for each, queue in queues.items() if queue == CASES_TASK_QUEUE}
    # A server lets at most one run a second begin anew, so that the next may not be there or not have its first task.
    between_runs = "WORKFLOW_EXECUTION_CONTINUED_AS_NEW" in counted or not counted["WORKFLOW_TASK_SCHEDULED"]
    return not tasks and own <= ended and not between_runs
