"""Rings a case: the one place that signals a workflow, and starts it where none runs (decision 4)."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy

from activities.contracts import CASE_WORKFLOW, CASES_TASK_QUEUE, Bell, CaseMessageName, CaseStart
from activities.safe import Summary
from domain.ids import CaseId, MessageId

AT_ONCE: Final = 20
"""Bells rung side by side: enough to hide a round trip of some ms, few enough not to crowd the frontend."""
RING_TIMEOUT: Final = timedelta(seconds=5)
"""A healthy server answers in ms; who rings has the row in the inbox and can ring again."""

_CASE_STAGE: Final = SearchAttributeKey.for_keyword("CaseStage")


@dataclass(frozen=True, slots=True)
class InboxBell:
    """A message that is in the inbox under `number`, and the case to be told."""

    case_id: CaseId
    message: CaseMessageName
    message_id: MessageId
    number: int


async def ring(client: Client, bells: Iterable[InboxBell]) -> None:
    """Ring every bell, and start the workflow of a case that has none running.

    Harmless when repeated. Rings the others when one fails, then raises that one's `RPCError`.
    """
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(bell: InboxBell) -> None:
        async with slots:
            await _signal_with_start(client, bell)

    results = await asyncio.gather(*(one(bell) for bell in bells), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _signal_with_start(client: Client, bell: InboxBell) -> None:
    await client.start_workflow(
        CASE_WORKFLOW,
        CaseStart(case_id=bell.case_id),
        id=bell.case_id,
        task_queue=CASES_TASK_QUEUE,
        # A case that closed is started again to answer whoever still writes to it; it ends at once.
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        start_signal=bell.message,
        start_signal_args=[Bell(message_id=bell.message_id, number=bell.number)],
        static_summary=case_summary(bell.case_id),
        search_attributes=_at_start(bell),
        rpc_timeout=RING_TIMEOUT,
    )


async def start(client: Client, case_id: CaseId) -> None:
    """Start the workflow of a case that has none running, with nothing to tell it: the log and the inbox do.

    Raises `WorkflowAlreadyStartedError` where one runs, `RPCError` where Temporal cannot be reached.
    """
    await client.start_workflow(
        CASE_WORKFLOW,
        CaseStart(case_id=case_id),
        id=case_id,
        task_queue=CASES_TASK_QUEUE,
        static_summary=case_summary(case_id),
        rpc_timeout=RING_TIMEOUT,
    )


def case_summary(case_id: CaseId) -> Summary:
    """The line over a case in the Temporal UI; it stays the same over all runs."""
    return Summary.of("Application {case_id}: entry by air with a supporter", case_id=case_id)


def _at_start(bell: InboxBell) -> TypedSearchAttributes:
    """A filing begins with the supporter; where any other case stands, its first activity tells."""
    if bell.message != "application.submitted":
        return TypedSearchAttributes.empty
    return TypedSearchAttributes([SearchAttributePair(_CASE_STAGE, "sponsor_confirmation")])
