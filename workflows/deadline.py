"""The timer of a case's next limit."""

import asyncio
import math
from typing import Final

from temporalio import workflow

from activities.contracts import Deadline, Due
from activities.safe import Summary

PAUSE_MAX_S: Final = 300.0
"""Longest pause before a limit that the activity did not apply is tried again: five minutes late is harmless against
limits of days, and a wrong clock costs at most 288 attempts a day."""


class DeadlineTimer:
    """One timer, kept as long as its limit stands. `fired` once the limit is reached, until taken."""

    def __init__(self) -> None:
        self._due: Due | None = None
        self._task: asyncio.Task[None] | None = None
        self._attempts = 0
        self.fired = False

    def watch(self, due: Due | None) -> None:
        """Wait for `due` and for nothing else.

        A limit that fired and stands still is tried again after a pause that doubles: the activity's clock, not this
        timer, says when a limit is reached, and the two may differ.
        """
        if due == self._due and self._task and not self._task.done():
            return
        self._attempts = self._attempts + 1 if due == self._due else 0
        if self._task:
            self._task.cancel()
        self._due, self.fired = due, False
        self._task = asyncio.create_task(self._sound(due)) if due else None

    def take(self) -> Deadline | None:
        """The limit that fired, for the activity that is about to start."""
        if not (self.fired and self._due):
            return None
        self.fired = False
        return Deadline(name=self._due.name, at=self._due.at)

    async def _sound(self, due: Due) -> None:
        left_s = (due.wake_at - workflow.now()).total_seconds()
        # Up to a whole millisecond: the server cuts off what is finer and would fire before the limit.
        delay_s = max(math.ceil(left_s * 1000) / 1000, self._pause_s())
        if delay_s > 0:
            await workflow.sleep(delay_s, summary=Summary.of("{name} deadline, {at}", name=due.name, at=due.at))
        self.fired = True

    def _pause_s(self) -> float:
        return min(2.0 ** min(self._attempts - 1, 20), PAUSE_MAX_S) if self._attempts else 0.0
