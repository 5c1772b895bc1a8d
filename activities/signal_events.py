"""What Temporal's histories say of direct signals: each with the moment at which the server received it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts import MESSAGE_SENDERS, DirectMessage, Notification
from domain.kernel.ids import CaseId

HISTORY_MAX: Final = 5_000
"""Events of a run that are looked through; a run continues as new well before."""
RUNS_MAX: Final = 20
"""Runs of a case that are looked through, the newest first: more are a case in a crash loop, which a person mends."""
RESETS_MAX: Final = 5
"""Runs that a run was reset from, each from the one before."""

_ENDED_BY_THEMSELVES: Final = frozenset({WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.CONTINUED_AS_NEW})
"""A run that ends by itself has handed over all that it could read."""


@dataclass(frozen=True, slots=True)
class Received:
    """A direct message, and the server's moment at which it came."""

    message: DirectMessage
    at: datetime


async def of_run(client: Client, case_id: CaseId, run_id: str) -> tuple[Received, ...]:
    """The direct signals of a run and of those that it was reset from, each once, at its first moment.

    A reset writes signals that came after its point anew, with another moment, or leaves them out.
    """
    found: dict[DirectMessage, datetime] = {}
    wanted: str | None = run_id
    for _ in range(1 + RESETS_MAX):
        if wanted is None:
            break
        wanted = await _read_run(client, case_id, wanted, found)
    return tuple(Received(message, at) for message, at in sorted(found.items(), key=lambda item: item[1]))


async def of_ended_runs(client: Client, case_id: CaseId, but_not: str) -> tuple[Received, ...]:
    """The direct signals of runs that did not end by themselves: terminated, failed, cancelled, timed out.

    What visibility still calls running, and is not the caller's own run, has just been ended. A server without
    visibility, as a simulation's, keeps nothing to look through.

    Raises:
        RPCError: Temporal cannot be reached.
    """
    found: dict[DirectMessage, datetime] = {}
    async for run_id in _ended(client, case_id, but_not):
        for each in await of_run(client, case_id, run_id):
            found[each.message] = min(each.at, found.get(each.message, each.at))
    return tuple(Received(message, at) for message, at in sorted(found.items(), key=lambda item: item[1]))


async def _ended(client: Client, case_id: CaseId, but_not: str) -> AsyncIterator[str]:
    try:
        async for run in client.list_workflows(f"WorkflowId = '{case_id}'", limit=RUNS_MAX):
            if run.run_id != but_not and run.status not in _ENDED_BY_THEMSELVES:
                yield run.run_id
    except RPCError as error:
        if error.status is not RPCStatusCode.UNIMPLEMENTED:
            raise


async def _read_run(client: Client, case_id: CaseId, run_id: str, found: dict[DirectMessage, datetime]) -> str | None:
    """Put the direct signals of one run into `found`; the run that it was reset from, if it was."""
    reset_from, looked_at = None, 0
    try:
        async for event in client.get_workflow_handle(case_id, run_id=run_id).fetch_history_events():
            looked_at += 1
            if looked_at > HISTORY_MAX:
                break
            reset_from = _reset_from(event) or reset_from
            message = _direct(event)
            if message is not None:
                at = event.event_time.ToDatetime(UTC)
                found[message] = min(at, found.get(message, at))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # its history was deleted meanwhile
            raise
    return reset_from


def _reset_from(event: HistoryEvent) -> str | None:
    failed = event.workflow_task_failed_event_attributes
    reset = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
    return failed.base_run_id or None if failed.cause == reset else None


def _direct(event: HistoryEvent) -> DirectMessage | None:
    if event.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        return None
    signal = event.workflow_execution_signaled_event_attributes
    if signal.signal_name not in MESSAGE_SENDERS or len(signal.input.payloads) != 1:
        return None
    try:
        notification = Notification.model_validate_json(signal.input.payloads[0].data)
    except ValidationError:
        return None  # the workflow could not read it either, and counts it as refused
    return None if notification.number else DirectMessage(message=signal.signal_name, notification=notification)
