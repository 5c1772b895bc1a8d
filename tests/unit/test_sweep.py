"""The sweep: what the log has open and Temporal does not run is started, and nothing else."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.failures import LogRestored
from relay.sweep import sweep_once
from tests.support.filings import new_case_id


class Log:
    """An event store with these cases open, and the book over it."""

    def __init__(
        self, open_cases: list[str], closed_meanwhile: list[str] | None = None, reopened: list[str] | None = None
    ) -> None:
        self._open = open_cases
        self._closed, self._reopened = closed_meanwhile or [], reopened or []
        self.store = self

    async def is_closed(self, case_id: str) -> bool:
        return case_id in self._closed

    async def has_closed(self, case_id: str) -> bool:
        return case_id in (*self._closed, *self._reopened)

    async def stuck_candidates(self) -> AsyncIterator[str]:
        for case_id in self._open:
            yield case_id


class Temporal:
    """A server that lists `visible` as running, and in truth runs `running`."""

    def __init__(self, visible: list[str], running: list[str] | None = None, ended: list[str] | None = None) -> None:
        self._visible = visible
        self.running = set(running or visible)
        self._ended = set(ended or [])
        self.started: list[str] = []

    async def list_workflows(self, query: str, **_: object) -> AsyncIterator[SimpleNamespace]:
        assert query == "WorkflowType = 'Case' AND ExecutionStatus = 'Running'"
        for case_id in self._visible:
            yield SimpleNamespace(id=case_id)

    def get_workflow_handle(self, case_id: str) -> SimpleNamespace:
        async def describe() -> SimpleNamespace:
            ended = case_id in self._ended
            return SimpleNamespace(
                status=WorkflowExecutionStatus.COMPLETED if ended else WorkflowExecutionStatus.RUNNING
            )

        return SimpleNamespace(describe=describe)

    async def start_workflow(
        self,
        workflow: str,
        start: Any,
        *,
        id: str,  # noqa: A002  the SDK's
        id_reuse_policy: WorkflowIDReusePolicy,
        **_: object,
    ) -> None:
        again = id_reuse_policy is WorkflowIDReusePolicy.ALLOW_DUPLICATE
        assert again or id_reuse_policy is WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
        if id in self.running or (id in self._ended and not again):
            raise WorkflowAlreadyStartedError(id, workflow)
        assert start.case_id == id
        self.started.append(id)


async def swept(log: Log, temporal: Temporal) -> int:
    return await sweep_once(log, temporal)  # type: ignore[arg-type]  # fakes


@pytest.mark.parametrize("lost", [0, 1, 19, 20, 21, 45])
async def test_every_open_case_that_does_not_run_is_started_once(lost: int) -> None:
    cases = [new_case_id() for _ in range(lost + 3)]
    temporal = Temporal(visible=cases[lost:])
    assert await swept(Log(cases), temporal) == lost
    assert temporal.started == cases[:lost]


async def test_a_run_that_visibility_does_not_show_yet_is_left_alone() -> None:
    cases = [new_case_id(), new_case_id()]
    temporal = Temporal(visible=[], running=cases[:1])
    assert await swept(Log(cases), temporal) == 1
    assert temporal.started == cases[1:]


async def test_a_case_whose_workflow_ended_though_the_log_has_it_open_is_an_alarm_and_is_left_alone() -> None:
    case_id = new_case_id()
    temporal = Temporal(visible=[], ended=[case_id])
    with pytest.raises(LogRestored):
        await swept(Log([case_id]), temporal)
    assert temporal.started == []


async def test_a_case_that_closed_while_the_sweep_looked_needs_nothing() -> None:
    case_id = new_case_id()
    temporal = Temporal(visible=[], ended=[case_id])
    assert await swept(Log([case_id], closed_meanwhile=[case_id]), temporal) == 0


async def test_a_case_that_closed_and_was_opened_again_is_started_once_more() -> None:
    case_id = new_case_id()
    temporal = Temporal(visible=[], ended=[case_id])
    assert await swept(Log([case_id], reopened=[case_id]), temporal) == 1
    assert temporal.started == [case_id]


async def test_what_runs_and_is_not_open_is_nobody_s_business() -> None:
    temporal = Temporal(visible=[new_case_id()])
    assert await swept(Log([]), temporal) == 0
