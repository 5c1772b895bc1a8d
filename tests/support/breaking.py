"""What can happen to a running stack: each breaks a performance, and puts right only what an operator would."""

import asyncio
import contextlib
import random
import shutil
import time
from functools import partial
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from process.temporal import connect_temporal
from tests.support.performance import Breaking, Performance
from tests.support.whole_stack import WholeStack

KILLS: Final = 3


async def a_while(shortest_s: float, longest_s: float) -> None:
    """Until a moment that no two runs share."""
    await asyncio.sleep(random.uniform(shortest_s, longest_s))  # noqa: S311  no secret


async def kill_often(names: tuple[str, ...], performance: Performance) -> None:
    """`kill -9` of each of these programs, and again soon after it has come back; so several may be down at once."""
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(_kill_often(name, performance.stack))


async def _kill_often(name: str, stack: WholeStack) -> None:
    for _ in range(KILLS):
        await a_while(1.0, 3.0)
        before = stack.kill(name)
        await asyncio.to_thread(stack.wait_for_another, name, before)


async def kill_everything(performance: Performance) -> None:
    """`kill -9` of every process at once, then a new start on the same data directory."""
    await a_while(3.0, 5.0)
    performance.stack.kill_everything()
    await asyncio.to_thread(performance.stack.start)
    performance.reopen()


async def empty_temporal(performance: Performance) -> None:
    """A new Temporal, with nothing in it."""
    await a_while(3.0, 5.0)
    stack = performance.stack
    await asyncio.to_thread(stack.stop)
    shutil.rmtree(stack.data_dir / "temporal")
    await asyncio.to_thread(stack.start)
    performance.reopen()


async def end_workflows(performance: Performance) -> None:
    """Whatever an operator can do to running cases: terminate them, delete them, set them back."""
    client = await connect_temporal(performance.stack.settings, "tests")
    for _ in range(2):
        await a_while(2.0, 4.0)
        for index, case_id in enumerate(sorted(await running_cases(client))):
            with contextlib.suppress(RPCError):  # it has ended by itself meanwhile
                await (terminate, delete, set_back)[index % 3](client, case_id)


async def terminate(client: Client, case_id: str) -> None:
    """End the running workflow of a case at once."""
    await client.get_workflow_handle(case_id).terminate()


async def delete(client: Client, case_id: str) -> None:
    """End it and remove its history."""
    execution = WorkflowExecution(workflow_id=case_id)
    request = DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    await client.workflow_service.delete_workflow_execution(request)


async def set_back(client: Client, case_id: str) -> None:
    """To the first workflow task of its newest run, if it has come that far."""
    async for event in client.get_workflow_handle(case_id).fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            request = ResetWorkflowExecutionRequest(
                namespace=client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=case_id),
                workflow_task_finish_event_id=event.event_id,
                request_id=f"{case_id}-{time.monotonic_ns()}",
            )
            await client.workflow_service.reset_workflow_execution(request)
            return


async def running_cases(client: Client) -> set[str]:
    """The cases whose workflow runs, as Temporal's index of them has it by now."""
    query = "WorkflowType = 'Case' AND ExecutionStatus = 'Running'"
    return {execution.id async for execution in client.list_workflows(query)}


BREAKING: Final[dict[str, Breaking]] = {
    "our-programs": partial(kill_often, ("worker", "relay", "gateway", "sealer")),
    "servers": partial(kill_often, ("postgres", "temporal")),
    "everything": kill_everything,
    "temporal-emptied": empty_temporal,
    "workflows-ended": end_workflows,
}
