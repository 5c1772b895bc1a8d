"""The relay notifies each case of its messages in the inbox until the case has taken them (decision 4).

A row that was claimed and whose case was not notified is claimed again after 30 seconds, by this relay or another. Any
number of relays may run. A programme's messages are decided here if the gateway that took them could not do it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import structlog

from activities.failures import log_failure
from activities.notify import PendingNotification
from eventstore.inbox import Inbox, UnnotifiedMessage

_log = structlog.get_logger()

BATCH: Final = 100
"""Rows claimed at once: half a second of work, so that a relay that dies delays few messages."""
IDLE_S: Final = 0.05
"""Pause between looks when nothing is due. A message waits half of it on average; a look reads one empty index."""
BACKOFF_FIRST_S: Final = 0.1
BACKOFF_MAX_S: Final = 5.0
"""Each look during an outage claims a batch, which is not due again for 30 seconds: so looks are rare then."""

Notify = Callable[[Iterable[PendingNotification]], Awaitable[None]]
"""Signals the workflows of these cases and starts those that do not run. Raises if one of them failed."""

HandleProgramme = Callable[[str], Awaitable[object]]
"""Decides the undecided messages of a programme (`cases.programme_commands`)."""


async def notify_once(inbox: Inbox, notify: Notify, handle_programme: HandleProgramme, limit: int = BATCH) -> int:
    """Claim at most `limit` rows that are due, notify their cases, and return how many there were.

    Cases come first: whom a programme's messages concern is claimed at the next look. Raises what either
    raises; the rows that were not heard are claimed again after 30 seconds.
    """
    rows = await inbox.claim_notifications(limit)
    notifications = [notification for row in rows if (notification := _notification_of(row)) is not None]
    if notifications:
        await notify(notifications)
    for programme in dict.fromkeys(row.stream for row in rows if row.case_id is None):
        await handle_programme(programme)
    return len(rows)


def _notification_of(row: UnnotifiedMessage) -> PendingNotification | None:
    if row.case_id is None:
        return None
    return PendingNotification(row.case_id, row.kind, row.message_id, row.number)


@dataclass(slots=True)
class Relay:
    """The loop around `notify_once`."""

    inbox: Inbox
    notify: Notify
    handle_programme: HandleProgramme
    limit: int = BATCH
    _looked: bool = field(default=False, init=False)
    _failures: int = field(default=0, init=False)

    @property
    def ready(self) -> bool:
        """Whether it has looked, and its last batch was delivered."""
        return self._looked and self._failures == 0

    async def run(self, stopped: asyncio.Event) -> None:
        """Notify cases until `stopped`; a batch under way is finished.

        Every failure is tried again: cases must be notified whatever happened to one of them. A failure of a kind that
        nobody foresaw is an alarm.
        """
        while not stopped.is_set():
            pause_s = await self._look()
            if pause_s > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopped.wait(), pause_s)

    async def _look(self) -> float:
        """Look once; the seconds until the next look."""
        try:
            notified = await notify_once(self.inbox, self.notify, self.handle_programme, self.limit)
        except Exception as error:  # noqa: BLE001  the boundary: whatever it is, the next look is due
            self._failures += 1
            log_failure("notifying failed", error, failures=self._failures, again_in_s=self._pause_s)
            return self._pause_s
        if notified > 0:
            self._failures = 0  # a look that found nothing does not show that Temporal is back
        self._looked = True
        return 0.0 if notified == self.limit else self._pause_s

    @property
    def _pause_s(self) -> float:
        if self._failures == 0:
            return IDLE_S
        return float(min(BACKOFF_FIRST_S * 2 ** min(self._failures - 1, 10), BACKOFF_MAX_S))
