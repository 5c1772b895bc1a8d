"""The calls to partners that run beside the loop (decision 6)."""

import asyncio
from collections.abc import Callable, Iterable

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.contracts import Call
from domain.kernel.ids import CaseId
from workflows import calls


class OutstandingCalls:
    """Runs each call that the Step lists, once a run, and cancels it when the Step drops it.

    `refused` are the request ids that a partner refused for good, with the code; a new run (`passage case restart`)
    tries them again.
    """

    def __init__(self, case_id: CaseId, changed: Callable[[], None]) -> None:
        self.refused: dict[str, str] = {}
        self._case_id = case_id
        self._changed = changed
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def follow(self, listed: Iterable[Call]) -> None:
        """Run what is listed and not run yet, cancel what is not listed."""
        wanted = {call.request_id: call for call in listed}
        for request_id in [each for each in self._tasks if each not in wanted]:
            self._tasks.pop(request_id).cancel()
            self.refused.pop(request_id, None)
        for request_id, call in wanted.items():
            if request_id not in self._tasks:
                self._tasks[request_id] = asyncio.create_task(self._run(call))

    async def _run(self, call: Call) -> None:
        try:
            await calls.call_partner(self._case_id, call)
        except ActivityError as failure:
            if is_cancelled_exception(failure):
                return
            self.refused[call.request_id] = failure_code(failure)
            workflow.logger.warning("a partner refused a request", extra={"partner": call.partner})
            self._changed()


def failure_code(failure: ActivityError) -> str:
    """The code with which an activity gave up."""
    return failure.cause.type or "internal" if isinstance(failure.cause, ApplicationError) else "timed-out"
