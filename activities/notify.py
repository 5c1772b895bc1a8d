"""Notifies a case: the one place that signals a workflow, and starts it where none runs (decision 4)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.contracts import CASE_WORKFLOW, CASES_TASK_QUEUE, CaseStart, Notification
from activities.failures import LogRestored
from activities.safe import Summary
from domain import registry
from domain.kernel.ids import CaseId, MessageId, MessageName

AT_ONCE: Final = 20
"""Notifications sent side by side: enough to hide a round trip of some ms, few enough not to crowd the frontend."""
NOTIFY_TIMEOUT: Final = timedelta(seconds=5)
"""A healthy server answers in ms; who notifies has the row in the inbox and can notify again."""

OF_AN_OPEN_CASE: Final = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
"""A workflow ends by itself when its case is closed, and not before. One that ended so and whose case is open in the
log shows a log that was restored, unless it closed and was opened again; one that was terminated, deleted or failed is
started again."""

_CASE_STAGE: Final = SearchAttributeKey.for_keyword("CaseStage")


HasClosed = Callable[[CaseId], Awaitable[bool]]
"""Whether the log says that the case closed, also where it was opened again."""


@dataclass(frozen=True, slots=True)
class PendingNotification:
    """A message that is in the inbox under `number`, and the case to be told."""

    case_id: CaseId
    message: MessageName
    message_id: MessageId
    number: int


async def notify(client: Client, notifications: Iterable[PendingNotification], closed: HasClosed) -> None:
    """Notify every case, and start the workflow of a case that has none running.

    Harmless when repeated. Notifies the others when one fails, then raises that one's error.

    Raises:
        RPCError: Temporal cannot be reached.
        LogRestored: the workflow of a case ended, as at its close, and the log says that the case never closed.
    """
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(notification: PendingNotification) -> None:
        async with slots:
            await _notify_one(client, notification, closed)

    results = await asyncio.gather(*(one(notification) for notification in notifications), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _notify_one(client: Client, notification: PendingNotification, closed: HasClosed) -> None:
    try:
        await _signal_with_start(client, notification, OF_AN_OPEN_CASE)
    except WorkflowAlreadyStartedError:
        if not await closed(notification.case_id):
            raise LogRestored from None
        # Started again to answer whoever still writes to a closed case; it ends at once, unless that opens the case.
        await _signal_with_start(client, notification, WorkflowIDReusePolicy.ALLOW_DUPLICATE)


async def _signal_with_start(client: Client, notification: PendingNotification, reuse: WorkflowIDReusePolicy) -> None:
    await client.start_workflow(
        CASE_WORKFLOW,
        CaseStart(case_id=notification.case_id),
        id=notification.case_id,
        task_queue=CASES_TASK_QUEUE,
        id_reuse_policy=reuse,
        start_signal=notification.message,
        start_signal_args=[Notification(message_id=notification.message_id, number=notification.number)],
        static_summary=case_summary(notification.case_id),
        search_attributes=_at_start(notification),
        rpc_timeout=NOTIFY_TIMEOUT,
    )


async def start(client: Client, case_id: CaseId, reuse: WorkflowIDReusePolicy) -> None:
    """Start the workflow of a case that has none running, with nothing to tell it: the log and the inbox do.

    Raises `WorkflowAlreadyStartedError` where one runs, or has ended as `reuse` does not allow;
    `RPCError` where Temporal cannot be reached.
    """
    await client.start_workflow(
        CASE_WORKFLOW,
        CaseStart(case_id=case_id),
        id=case_id,
        task_queue=CASES_TASK_QUEUE,
        id_reuse_policy=reuse,
        static_summary=case_summary(case_id),
        rpc_timeout=NOTIFY_TIMEOUT,
    )


def case_summary(case_id: CaseId) -> Summary:
    """The line over a case in the Temporal UI; it stays the same over all runs."""
    return Summary.of("{programme} {case_id}", programme=registry.programme_of(case_id).id, case_id=case_id)


def _at_start(notification: PendingNotification) -> TypedSearchAttributes:
    """A filing begins in the first stage; where any other case stands, its first activity tells."""
    family = registry.family_of(notification.case_id)
    if family.kind_of(notification.message) is not family.submission:
        return TypedSearchAttributes.empty
    return TypedSearchAttributes([SearchAttributePair(_CASE_STAGE, family.stage_names[0])])
