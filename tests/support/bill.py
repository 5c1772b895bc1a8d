"""What a history says: whether anything is under way, and (from the benchmarks) what the case costs."""

from collections import Counter
from typing import Any

from activities.contracts import CASES_TASK_QUEUE
from bench.bill import actions, events, kinds

__all__ = ["actions", "events", "is_idle", "kinds"]


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
