"""The activities that `Case` calls, each with its timeouts and its retries."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy

from activities.contracts import (
    ADVANCE,
    CALL_PARTNER,
    OPEN_CASE,
    Advance,
    Call,
    CallPartner,
    Step,
    calls_task_queue,
)
from activities.safe import Summary
from domain.kernel.ids import CaseId

ADVANCE_TIMEOUT: Final = timedelta(seconds=30)
"""One attempt: 100 rows at some 10 ms, and the first calls to at most four partners of 5 s each. A worker that dies is
noticed after it at the latest, so it is no longer than it must be."""
ADVANCE_RETRY: Final = RetryPolicy(
    initial_interval=timedelta(seconds=1),  # a conflict or a failover is over in a second or two
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=30),  # a case goes on within half a minute of Postgres being back
    maximum_attempts=0,  # without end: no case is lost because a database was down
)

CALL_TIMEOUT: Final = timedelta(seconds=20)
"""One attempt: a request of at most 10 s and the row that records it."""
CALL_RETRY: Final = RetryPolicy(
    initial_interval=timedelta(seconds=5),  # the activity that asked has just tried
    backoff_coefficient=2.0,
    maximum_interval=timedelta(hours=1),  # a partner that is away for a week costs 168 calls a case, no more
    maximum_attempts=0,  # until it accepts, refuses for good, or the case no longer asks
)


async def advance(held: Step | None, what: Advance) -> Step:
    """Take what waits for the case: under its stage's name, or `open_case` where this run has no Step yet.

    Raises `ActivityError` for a failure that no retry mends (`activities/failures.py` lists them).
    """
    step: Step = await workflow.execute_activity(
        ADVANCE[held.stage] if held else OPEN_CASE,
        what,
        result_type=Step,
        start_to_close_timeout=ADVANCE_TIMEOUT,
        retry_policy=ADVANCE_RETRY,
        summary=_why(held, what),
    )
    return step


async def call_partner(case_id: CaseId, call: Call) -> None:
    """Send an outstanding request until the partner accepts it. Raises `ActivityError` when it refuses for good."""
    await workflow.execute_activity(
        CALL_PARTNER,
        CallPartner(case_id=case_id, request_id=call.request_id, partner=call.partner),
        task_queue=calls_task_queue(call.partner),
        start_to_close_timeout=CALL_TIMEOUT,
        retry_policy=CALL_RETRY,
        summary=Summary.of("{partner}, until it accepts the request", partner=call.partner),
    )


def _why(held: Step | None, what: Advance) -> Summary:
    if what.due:
        return Summary.of("the {name} deadline of {at}", name=what.due.name, at=what.due.at)
    if what.direct:
        return Summary.of("signalled: {kind}", kind=what.direct[0].message)
    if held is None:
        return Summary("read the case from the log")
    return Summary.of("messages after number {taken}", taken=held.taken)
