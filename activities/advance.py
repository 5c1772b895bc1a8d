"""The appending activity: take what waits in the inbox, in order, meet what is due, and say where the case stands.

Every row and every deadline is a transaction of its own. Running it once more, after any crash, changes nothing that
it had already done: a decided row is not taken again, and a deadline that was met no longer runs.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from temporalio import activity

from activities.contracts import (
    ADVANCE,
    ANSWERS_MAX,
    OPEN_CASE,
    REFUSED_MAX,
    Advance,
    Call,
    Due,
    RefusedSignal,
    Reply,
    Step,
)
from activities.direct import DirectSignals
from activities.failures import LogRestored, log_failure
from activities.partner_requests import PartnerRequests, tell_misdirected
from cases.clock import Clock
from cases.handle import command_of, handle
from cases.repository import CaseRepository, CaseSeen
from domain import registry
from domain.kernel.calendar import Deadline
from domain.kernel.decider import deadlines
from domain.kernel.messages import MeetDeadline
from eventstore.format.summarize import summarize
from eventstore.inbox import InboxRow, UnknownStream
from eventstore.port import Notification

DEADLINES_MAX: Final = 20
"""Deadlines one activity meets: a case has at most seven, and none comes back once met."""

STARTED_WITHIN: Final = timedelta(minutes=1)
"""A filing is decided within a second. One that has waited longer may have had a run that was ended."""

Notify = Callable[[Iterable[Notification]], Awaitable[None]]
"""Notifies the other cases that an append concerns."""


@dataclass(slots=True)
class _Run:
    """What one activity has done so far."""

    seen: CaseSeen
    now: datetime
    settled: datetime
    """Every message received before this moment is durable; a deadline after it is not met yet."""
    answers: list[Reply] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    taken: int = 0
    deadlines_met: int = 0
    refused: list[RefusedSignal] = field(default_factory=list)
    looked: bool = False
    """Whether Temporal was asked for signals that this activity was not handed."""

    @property
    def full(self) -> bool:
        return len(self.answers) >= ANSWERS_MAX or self.deadlines_met >= DEADLINES_MAX


class CaseActivities:
    """The activities that append to a case. One entrance a stage, so that the timeline tells the case's story."""

    def __init__(
        self, cases: CaseRepository, clock: Clock, requests: PartnerRequests, direct: DirectSignals, notify: Notify
    ) -> None:
        self._cases = cases
        self._clock = clock
        self._requests = requests
        self._direct = direct
        self._notify = notify

    @activity.defn(name=OPEN_CASE)
    async def open_case(self, advance: Advance) -> Step:
        """Begin a run: whatever a lost Temporal, a reset or a termination left undone is done now."""
        return await self._advance(advance, begins=True)

    @property
    def entrances(self) -> tuple[Callable[..., Any], ...]:
        """`open_case`, and one activity a stage of every family, each under the stage's name."""
        return (self.open_case, *(self._entrance(stage) for stage in registry.stages()))

    def _entrance(self, stage: str) -> Callable[[Advance], Awaitable[Step]]:
        @activity.defn(name=ADVANCE[stage])
        async def take_what_waits(advance: Advance) -> Step:
            return await self._advance(advance)

        return take_what_waits

    async def _advance(self, advance: Advance, *, begins: bool = False) -> Step:
        started = activity.info().started_time
        now, settled = self._clock.now(started), self._clock.now(started - self._clock.grace)
        if advance.due is not None:
            # Its timer has fired, so its moment has come, whatever the two clocks' last digits say.
            now, settled = max(now, advance.due.at), max(settled, advance.due.at)
        refused = await self._direct.receive(advance, now)
        run = await self._begin(advance, now, settled)
        run.refused.extend(refused)
        if begins and _replaces_a_run(advance, run):
            run.refused.extend(await self._direct.receive_lost(advance.case_id, now))
            run.seen = await self._cases.see(advance.case_id, now)
        await self._take_all(run, advance)
        calls = await self._requests.ask(run.seen.case, run.seen.pending.calls)
        await self._notify_others(run)
        return await self._step(run, calls)

    async def _notify_others(self, run: _Run) -> None:
        try:
            await self._notify(run.notifications)
        except LogRestored as restored:
            # Of another case: this one stands. The relay notifies that one again, and alarms until people mended it.
            log_failure("another case's workflow ended before its log", restored, notified_by=run.seen.case.case_id)

    async def _begin(self, advance: Advance, now: datetime, settled: datetime) -> _Run:
        seen = await self._cases.see(advance.case_id, now)
        if seen.case.version < advance.seen_version:
            raise LogRestored
        if not seen.programme:
            raise UnknownStream
        return _Run(seen, now, settled)

    async def _take_all(self, run: _Run, advance: Advance) -> None:
        """Rows in number order, and before each of them the deadlines that were over when it was received."""
        await self._take_rows(run)
        if advance.due is not None and self._allots(run, advance.due.name):
            # A new month has new places; they are given out in order, and this case may be among those that get one.
            await self._meet(run, Deadline(advance.due.at, advance.due.name))
            await self._take_rows(run)

    def _allots(self, run: _Run, limit: str) -> bool:
        case = run.seen.case
        known = registry.family_of(case.case_id).limits.get(limit)
        return known is not None and known.allots is not None and not case.closed

    async def _take_rows(self, run: _Run) -> None:
        while not run.full:
            row = run.seen.pending.row
            due = await self._due(run, row.received_at if row else run.settled)
            if due is not None and not run.looked:
                await self._look_for_signals(run)
            elif due is not None:
                await self._meet(run, due)
            elif row is not None:
                await self._take(run, row)
            else:
                break

    async def _look_for_signals(self, run: _Run) -> None:
        """Before the first limit is met: what was signalled in time is taken in time, whatever held us up."""
        run.looked = True
        await self._direct.receive_waiting(run.seen.case.case_id, run.now)
        run.seen = await self._cases.see(run.seen.case.case_id, run.now)

    async def _due(self, run: _Run, by: datetime) -> Deadline | None:
        case = run.seen.case
        if case.closed or not case.filed:
            return None
        state = await self._cases.known_programme(run.seen.programme)
        running = deadlines(registry.family_of(case.case_id), case, run.now, self._cases.rules_of(case, state), state)
        return running[0] if running and running[0].at <= by else None

    async def _meet(self, run: _Run, due: Deadline) -> None:
        command = MeetDeadline(due.name, due.at)
        decided = await handle(self._cases, run.seen, command, run.now, None)
        run.seen = decided.seen
        run.notifications.extend(decided.notifications)
        run.deadlines_met += 1

    async def _take(self, run: _Run, row: InboxRow) -> None:
        run.now = max(run.now, row.received_at)
        decided = await handle(self._cases, run.seen, command_of(row), run.now, row)
        run.seen = decided.seen
        run.notifications.extend(decided.notifications)
        if decided.answer is not None:
            run.taken = max(run.taken, row.number)
            run.answers.append(Reply(number=row.number, answer=decided.answer.answer, code=decided.answer.code))
            if decided.answer.answer == "rejected":
                tell_misdirected(row)

    async def _step(self, run: _Run, calls: tuple[Call, ...]) -> Step:
        case = run.seen.case
        state = await self._cases.known_programme(run.seen.programme)
        summary = summarize(case, state, self._cases.rules_of(case, state), run.now)
        due = None
        if summary.due_name is not None and summary.due_at is not None:
            wake_at = self._clock.server_time(summary.due_at) + self._clock.grace
            due = Due(name=summary.due_name, at=summary.due_at, wake_at=wake_at)
        return Step(
            version=case.version,
            stage=summary.stage,
            waiting_on=summary.waiting_on,
            since=summary.since,
            due=due,
            overdue_since=summary.overdue_since,
            calls=calls,
            taken=run.taken,
            answers=tuple(run.answers),
            closed=summary.closed,
            outcome=summary.outcome,
            reason=summary.reason,
            flags=summary.flags,
            programme=run.seen.programme,
            rules_version=summary.rules_version,
            more=run.full,
            refused=tuple(run.refused[-REFUSED_MAX:]),
        )


def _replaces_a_run(advance: Advance, run: _Run) -> bool:
    """Whether another run of this case may have ended before it had handed over what it was signalled.

    The first run of a case finds a filing that was received just now; one that continues another knows its version.
    """
    row = run.seen.pending.row
    just_filed = not run.seen.case.filed and row is not None and run.now - row.received_at < STARTED_WITHIN
    return advance.seen_version == 0 and not just_filed
