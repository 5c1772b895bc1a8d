"""The sweep for stuck cases: every open case has a running workflow, or gets one.

A case can lose its workflow in more ways than can be listed: an operator terminates it, a namespace is deleted, a
Temporal is restored from a backup or begins empty. The log says what is open; Temporal says what runs; the difference
is started, and begins from the log like any other run (decision 3).
"""

import asyncio
from typing import Final

import structlog
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.contracts import CASE_WORKFLOW
from activities.failures import LogRestored
from activities.notify import AT_ONCE, OF_AN_OPEN_CASE, start
from cases.repository import CaseRepository
from domain.kernel.ids import CaseId

_log = structlog.get_logger()

SWEEP_PERIOD_S: Final = 30.0
"""How long a case may be without a workflow. A sweep that finds nothing costs a page for every 5,000 open cases."""

_RUNNING: Final = f"WorkflowType = '{CASE_WORKFLOW}' AND ExecutionStatus = 'Running'"


async def sweep_once(cases: CaseRepository, client: Client) -> int:
    """Start every open case that has no running workflow, and return how many.

    What runs is read before what is open, so a case that closes meanwhile is not started again. Visibility lags by
    moments: a start that finds the case running changes nothing, and a run that had just ended is seen by the next
    sweep. Holds one id for each running case, some 10 MB at 100,000.

    Raises:
        LogRestored: a case is open in the log, and its workflow ended as at its close; nothing more is started.
        RPCError: Temporal cannot be reached; the next sweep does the rest.
        StoreUnavailable: the database cannot be reached.
    """
    running = {execution.id async for execution in client.list_workflows(_RUNNING, page_size=1000)}
    started, batch = 0, list[CaseId]()
    async for case_id in cases.store.stuck_candidates():
        if case_id in running:
            continue
        batch.append(case_id)
        if len(batch) == AT_ONCE:
            started += await _start_all(cases, client, batch)
            batch = []
    return started + await _start_all(cases, client, batch)


async def _start_all(cases: CaseRepository, client: Client, case_ids: list[CaseId]) -> int:
    return sum(await asyncio.gather(*(_start_unless_it_ended(cases, client, case_id) for case_id in case_ids)))


async def _start_unless_it_ended(cases: CaseRepository, client: Client, case_id: CaseId) -> bool:
    if await start_if_none_runs(client, case_id, OF_AN_OPEN_CASE):
        return True
    if not await _ended_by_itself(client, case_id) or await cases.is_closed(case_id):
        return False
    if not await cases.has_closed(case_id):
        raise LogRestored
    # It closed and was opened again: its workflow ended rightly, and is wanted once more.
    return await start_if_none_runs(client, case_id, WorkflowIDReusePolicy.ALLOW_DUPLICATE)


async def start_if_none_runs(client: Client, case_id: CaseId, reuse: WorkflowIDReusePolicy) -> bool:
    """Start the workflow of a case. False if one runs, or ended in a way that `reuse` excludes. Raises `RPCError`."""
    try:
        await start(client, case_id, reuse)
    except WorkflowAlreadyStartedError:
        return False
    _log.warning("case had no running workflow and was started", case_id=case_id)
    return True


async def _ended_by_itself(client: Client, case_id: CaseId) -> bool:
    described = await client.get_workflow_handle(case_id).describe()
    return described.status is WorkflowExecutionStatus.COMPLETED
