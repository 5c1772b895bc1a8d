"""A worker with fake activities and the hands of those who signal: what every workflow test works with."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker, WorkflowRunner

from activities.failures import FailuresAsCodes
from activities.notify import PendingNotification, notify
from domain import registry
from domain.kernel.ids import case_id_from_entropy
from tests.support.bill import is_idle
from tests.support.fake_case import FakeCase, FakeProgramme
from workflows.case import Case
from workflows.contracts import CASES_TASK_QUEUE, Notification, calls_task_queue
from workflows.payloads import CallStackAnswers
from workflows.runner import RUNNER


class Desk:
    """One case, its inbox, its workflow."""

    def __init__(self, environment: WorkflowEnvironment) -> None:
        self.environment = environment
        self.client: Client = environment.client
        self.programme = FakeProgramme()
        self.case_id = case_id_from_entropy("VEN", secrets.token_bytes(8))
        self._sent = 0

    @property
    def case(self) -> FakeCase:
        return self.programme.cases.setdefault(self.case_id, FakeCase())

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(self.case_id)

    def receive(self, kind: str) -> tuple[str, int]:
        """A message reaches the inbox: its id and number."""
        self._sent += 1
        return f"m-{self._sent}", self.programme.receive(self.case_id, kind, f"m-{self._sent}")

    async def post(self, kind: Any) -> int:
        """A message reaches the inbox and the relay notifies."""
        message_id, number = self.receive(kind)
        await self.notify(kind, message_id, number)
        return number

    async def notify(self, kind: Any, message_id: str, number: int) -> None:
        await notify(self.client, [PendingNotification(self.case_id, kind, message_id, number)], self._is_closed)

    async def _is_closed(self, case_id: str) -> bool:
        return self.programme.cases[case_id].stage == "closed"

    async def signal(self, kind: str, **fields: Any) -> None:
        """Somebody with access to Temporal signals directly."""
        await self.handle.signal(kind, Notification.model_validate(fields))

    async def until(self, reached: Callable[[], bool], seconds: float = 15) -> None:
        """Wait, in real time, for what the activities see."""
        async with asyncio.timeout(seconds):
            while not reached():  # noqa: ASYNC110 -- the fake activities run in this loop and give no event
                await asyncio.sleep(0.02)

    async def walk(self, *kinds: str) -> None:
        """Post each message once the one before it is decided."""
        for kind in kinds:
            await self.post(kind)
            await self.until(lambda: len(self.case.answers) == len(self.case.inbox))
        await self.settle()

    async def settle(self, seconds: float = 15) -> None:
        """Until the newest run has nothing in hand: no workflow task, and no activity but calls to partners."""
        calm = 0
        async with asyncio.timeout(seconds):
            while calm < 3:
                history = (await self.handle.fetch_history()).to_json_dict()
                calm = calm + 1 if is_idle(history) else 0
                await asyncio.sleep(0.03)

    async def metadata(self) -> WorkflowMetadata:
        """What the Temporal UI asks a worker for: handlers and current details."""
        answer = await (await self._as_the_ui()).query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        assert isinstance(answer, WorkflowMetadata)
        return answer

    async def call_stack(self) -> str:
        """The UI's page of that name."""
        return str(await (await self._as_the_ui()).query("__stack_trace"))

    async def _as_the_ui(self) -> WorkflowHandle[Any, Any]:
        plain = await Client.connect(self.client.service_client.config.target_host, namespace=self.client.namespace)
        return plain.get_workflow_handle(self.case_id)

    async def histories(self) -> list[dict[str, Any]]:
        """Every run of the case, oldest first, as the JSON that anybody with access reads."""
        runs = [run async for run in self.client.list_workflows(f"WorkflowId = '{self.case_id}'")]
        runs.sort(key=lambda run: run.start_time)
        return [
            (await self.client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()).to_json_dict()
            for run in runs
        ]


async def details(desk: Desk) -> str:
    """The current details of the case as the UI shows them."""
    return (await desk.metadata()).current_details


@asynccontextmanager
async def working(environment: WorkflowEnvironment, runner: WorkflowRunner = RUNNER) -> AsyncIterator[Desk]:
    """A desk whose worker runs; on leaving, the case's workflow is ended, so that no timer of it outlives the test."""
    desk = Desk(environment)
    interceptors = [CallStackAnswers(), FailuresAsCodes()]
    async with AsyncExitStack() as stack:
        for queue, workflows, activities in (
            (CASES_TASK_QUEUE, [Case], desk.programme.activities()),
            *((calls_task_queue(partner), [], desk.programme.calls()) for partner in registry.partners()),
        ):
            worker = Worker(
                desk.client,
                task_queue=queue,
                workflows=workflows,
                activities=activities,
                interceptors=interceptors,
                workflow_runner=runner,
            )
            await stack.enter_async_context(worker)
        try:
            yield desk
        finally:
            await _end(desk)


async def _end(desk: Desk) -> None:
    with contextlib.suppress(RPCError):  # it ended by itself, or was never started
        await desk.handle.terminate(reason="the test is over")
