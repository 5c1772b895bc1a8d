"""Cases run for two years: the workflow as it is now must take every way that cases have gone before."""

import json
from collections import Counter
from pathlib import Path

import pytest

from activities.contracts import ADVANCE, CALL_PARTNER
from tests.support.bill import kinds
from tests.support.changed_case import CarelesslyChanged, PatchedChange
from tests.support.record_histories import SCENARIOS
from tests.support.replay import HISTORIES, HistoryNoLongerFits, replay

RECORDED = sorted(HISTORIES.glob("*.json"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_a_recorded_case_would_go_on(path: Path) -> None:
    await replay(path)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_a_change_behind_a_patch_lets_a_recorded_case_go_on(path: Path) -> None:
    await replay(path, PatchedChange)


async def test_a_careless_change_fails_and_the_failure_teaches_the_mend() -> None:
    with pytest.raises(HistoryNoLongerFits) as failure:
        await replay(HISTORIES / "five-steps.1.json", CarelesslyChanged)
    lesson = str(failure.value)
    for part in ("five-steps.1.json", "workflow.patched(", "record_histories", "deprecate_patch", "Never edit"):
        assert part in lesson
    assert "Nondeterminism" in lesson or "TMPRL1100" in lesson


def test_every_scenario_is_recorded() -> None:
    recorded = {path.name.split(".")[0] for path in RECORDED}
    assert recorded >= {scenario.__name__.replace("_", "-") for scenario in SCENARIOS}


def test_the_recorded_cases_ask_for_everything_that_the_workflow_can_ask_for() -> None:
    events = Counter[str]()
    activities = set[str]()
    for path in RECORDED:
        history = json.loads(path.read_text())
        events.update(kinds(history))
        activities |= {
            event["activityTaskScheduledEventAttributes"]["activityType"]["name"]
            for event in history["events"]
            if "activityTaskScheduledEventAttributes" in event
        }
    assert activities == {*ADVANCE.values(), CALL_PARTNER}
    for kind in (
        "TIMER_STARTED",
        "TIMER_FIRED",
        "TIMER_CANCELED",
        "ACTIVITY_TASK_FAILED",
        "ACTIVITY_TASK_CANCEL_REQUESTED",
        "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        "WORKFLOW_EXECUTION_UPDATE_COMPLETED",
        "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
        "WORKFLOW_EXECUTION_COMPLETED",
    ):
        assert events[kind], kind
