"""A case on its way through all five steps, as the server records it."""

from typing import Any

from temporalio.testing import WorkflowEnvironment

from tests.support.bill import actions, events, kinds
from tests.support.desk import Desk, working

FIVE_STEPS = (
    "application.submitted",
    "sponsor.confirmed",
    "entry.matched",
    "vetting.cleared",
    "arrival.paroled",
    "work_permit.applied",
    "work_permit.eligible",
)


async def walk_slowly(desk: Desk) -> list[dict[str, Any]]:
    """Every step for itself, as in life: nothing saved because two messages happened to come at once."""
    for kind in FIVE_STEPS:
        await desk.walk(kind)
    return await desk.histories()


async def test_history_and_bill_stay_within_the_budget(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        histories = await walk_slowly(desk)

    assert "WORKFLOW_TASK_FAILED" not in [kind for history in histories for kind in kinds(history)]
    assert events(histories) <= 90
    assert actions(histories) <= 28


async def test_the_timeline_tells_the_story(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        histories = await walk_slowly(desk)

    story = [line for history in histories for line in map(_line, history["events"]) if line]
    assert story == [
        "application.submitted", "open_case",
        "sponsor.confirmed", "sponsor_confirmation",
        "entry.matched", "proof_of_entry",
        "vetting.cleared", "security_vetting",
        "arrival.paroled", "travel_authorization",
        "open_case",
        "work_permit.applied", "work_permit_eligibility",
        "work_permit.eligible", "work_permit_eligibility",
    ]  # fmt: skip


async def test_the_parole_wait_has_a_run_of_its_own(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        histories = await walk_slowly(desk)

    before, after = histories
    assert kinds(before)[-1] == "WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
    started = after["events"][0]["workflowExecutionStartedEventAttributes"]
    carried = started["input"]["payloads"]
    assert len(carried) == 1
    # Only the case and the version seen: whatever else a run knows, the log knows better.
    name, seen = desk.programme.asked[5]
    assert name == "open_case"
    assert seen.model_dump(exclude_defaults=True) == {"case_id": desk.case_id, "seen_version": 10}


def _line(event: dict[str, Any]) -> str | None:
    if "workflowExecutionSignaledEventAttributes" in event:
        name: str = event["workflowExecutionSignaledEventAttributes"]["signalName"]
        return name
    if "activityTaskScheduledEventAttributes" in event:
        activity: str = event["activityTaskScheduledEventAttributes"]["activityType"]["name"]
        return activity
    return None
