"""Replays recorded histories, and teaches the mend where one no longer fits."""

import json
from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from workflows.case import Case
from workflows.payloads import DATA_CONVERTER, CallStackAnswers
from workflows.runner import RUNNER

HISTORIES = Path(__file__).parents[1] / "golden" / "histories"

MEND = """\
{name}: a case that runs today would get stuck on this change.

Replaying its history, the workflow asked for something else than it did when the history was recorded:
    {failure}

Cases run for two years, so the old path stays until nobody is on it any more:
  1. Keep both paths:  if workflow.patched("<what-changed>"): <the new path>  else: <the old path>
  2. Record a history of the new path beside the old ones:  python -m tests.support.record_histories
     It writes only what is not there yet. Never edit, replace or delete a recorded history to make this test pass.
  3. Write beside the patch when the old path may go, which is once this lists nothing:
     temporal workflow list -q 'WorkflowType = "Case" AND ExecutionStatus = "Running" AND StartTime < "<deployment>"'
     Then replace the condition by workflow.deprecate_patch("<what-changed>"), and drop that one release later.
A change that asks for the same timers, activities, search attributes and answers in the same order needs none of this.
"""


class HistoryNoLongerFits(AssertionError):
    """The workflow asks for other commands than a recorded history holds."""


async def replay(path: Path, workflow: type = Case) -> None:
    """Raises `HistoryNoLongerFits`, with what to do, where `workflow` would not take the recorded way."""
    replayer = Replayer(
        workflows=[workflow],
        data_converter=DATA_CONVERTER,
        interceptors=[CallStackAnswers()],
        workflow_runner=RUNNER,
    )
    recorded = json.loads(path.read_text())
    case_id = recorded["events"][0]["workflowExecutionStartedEventAttributes"]["workflowId"]
    history = WorkflowHistory.from_json(case_id, recorded)
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure:
        raise HistoryNoLongerFits(MEND.format(name=path.name, failure=result.replay_failure))
