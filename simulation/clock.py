"""Domain time of a scenario: an offset to the test server's clock, and nothing but the scenario's own moments.

The server's clock runs on while something is being done, by the real milliseconds that it takes. A scenario must not
see them: its moments are nominal and exact. So the clock stands at one moment until it is moved to the next, by whoever
plays it or by a deadline that is the next thing to happen.
"""

from datetime import datetime, timedelta
from typing import Any

import temporalio.client
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.contracts import Advance


class ScenarioClock:
    """A `Clock` (cases/clock.py) that never runs backwards.

    Args:
        start: the scenario's first moment.
        server_start: what the test server's clock shows then.
    """

    def __init__(self, start: datetime, server_start: datetime) -> None:
        self._offset = server_start - start
        self._moment = start
        self._next = start
        self.playing = False
        """Whether a moment is being played, after which whoever plays it looks for the next one."""

    @property
    def moment(self) -> datetime:
        """The nominal moment it stands at."""
        return self._moment

    grace = timedelta(0)
    """What is played at one moment is durable before the next."""

    def now(self, server_time: datetime) -> datetime:  # noqa: ARG002  its own moments count, not the server's
        """The nominal moment it stands at, whatever the server's clock shows."""
        return self._moment

    def server_time(self, domain_time: datetime) -> datetime:
        """What the server's clock shows at `domain_time`."""
        return domain_time + self._offset

    def play(self, moment: datetime) -> None:
        """Move to `moment` and stay there until everything of that moment has happened."""
        self._moment = self._next = max(self._moment, moment)
        self.playing = True

    def rest(self, until: datetime | None) -> None:
        """Nothing happens before `until`: what is due then may move the clock there itself. None: nothing is due."""
        self._next = self._moment if until is None else max(self._moment, until)
        self.playing = False

    def expect(self, moment: datetime) -> None:
        """Something will happen at `moment`, so nothing later may move the clock before that has."""
        self._next = max(self._moment, min(self._next, moment))

    def reached(self, moment: datetime) -> bool:
        """Whether a deadline at `moment` may be met, moving there if it is the next thing to happen."""
        if moment > self._next:
            return False
        self._moment = max(self._moment, moment)
        return True


class DeadlinesAtTheirMoment(temporalio.client.Interceptor, Interceptor):
    """Around the appending activities: a timer that fired early in nominal time comes without its deadline.

    That happens when the server's clock ran past a deadline while an earlier moment was being played. The workflow
    watches the deadline anew. Given to a client, it is around every worker of that client.
    """

    def __init__(self, clock: ScenarioClock) -> None:
        self._clock = clock

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002  the SDK's name
        """See base class."""
        return _AtItsMoment(next, self._clock)


class _AtItsMoment(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, clock: ScenarioClock) -> None:  # noqa: A002  the SDK's name
        super().__init__(next)
        self._clock = clock

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002  the SDK's name
        asked = input.args[0] if input.args else None
        if isinstance(asked, Advance) and asked.due is not None and not self._clock.reached(asked.due.at):
            input.args = [asked.model_copy(update={"due": None})]
        return await super().execute_activity(input)
