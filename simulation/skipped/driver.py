"""The workflow whose timers are a scenario's moments, on the same test server as the cases.

The server skips time only while no activity runs, and a signal from outside can land skipped days late. So everything
that happens at a moment happens inside one activity, and the wait for the next moment is this workflow's timer.
"""

import math
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy

SCENARIO_WORKFLOW: Final = "ScenarioRun"
SCENARIO_TASK_QUEUE: Final = "scenario"
PLAN: Final = "plan"
PLAY: Final = "play"
REPLAN: Final = "replan"

_ACTIVITY_TIMEOUT: Final = timedelta(minutes=10)
"""A moment may hold thousands of entries, each of which is bounded by itself (settling.py)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The next moment, and what the server's clock shows then; both ISO 8601.

    With `last` nothing is left to play: the wait until then is only for calls that partners have not accepted yet.
    """

    moment: str
    wake_at: str
    last: bool = False


@workflow.defn(name=SCENARIO_WORKFLOW)
class ScenarioRun:
    """Plays one scenario, moment by moment."""

    def __init__(self) -> None:
        self._news = False

    @workflow.run
    async def run(self) -> None:
        """Ends when nothing is left before the scenario's `until`. Fails as soon as an activity does."""
        plan = await _ask(PLAN)
        while plan is not None:
            if await self._sleep(plan):
                plan = await _ask(PLAN)
            elif plan.last:
                return
            else:
                plan = await _ask(PLAY, plan.moment)

    async def _sleep(self, plan: Plan) -> bool:
        """Wait until the plan's moment; true when something earlier was announced meanwhile."""
        left_s = (datetime.fromisoformat(plan.wake_at) - workflow.now()).total_seconds()
        with suppress(TimeoutError):
            # Up to a whole millisecond: the server cuts off what is finer and would fire before the moment.
            timeout_s = max(math.ceil(left_s * 1000) / 1000, 0)
            await workflow.wait_condition(lambda: self._news, timeout=timeout_s)
        news, self._news = self._news, False
        return news

    @workflow.signal(name=REPLAN)
    def replan(self) -> None:
        """A partner accepted a call that it had refused: its answer may come before the next moment."""
        self._news = True


async def _ask(activity: str, *arguments: str) -> Plan | None:
    plan: Plan | None = await workflow.execute_activity(
        activity,
        args=arguments,
        result_type=Plan | None,  # type: ignore[arg-type]  # the converter reads a union, which no `type` describes
        start_to_close_timeout=_ACTIVITY_TIMEOUT,
        retry_policy=RetryPolicy(maximum_attempts=1),
    )
    return plan
