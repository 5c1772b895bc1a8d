"""Every way a case can go, in the sandbox that refuses what is not deterministic."""

from collections.abc import Awaitable, Callable

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.bill import kinds
from tests.support.desk import Desk, working
from tests.support.record_histories import SCENARIOS
from workflows.runner import STRICT_RUNNER


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_nothing_is_refused(dev_server: WorkflowEnvironment, scenario: Callable[[Desk], Awaitable[None]]) -> None:
    async with working(dev_server, STRICT_RUNNER) as desk:
        await scenario(desk)
        for history in await desk.histories():
            for event in history["events"]:
                failed = event.get("workflowTaskFailedEventAttributes")
                assert not failed or failed["cause"] == "WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND"
        assert kinds((await desk.histories())[-1])[-1] != "WORKFLOW_EXECUTION_FAILED"
