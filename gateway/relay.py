"""`python -m gateway.relay`: notifies cases of what is in the inbox, until each has heard (decision 4).

A row that was claimed and was not delivered is claimed again after 30 seconds, by this relay or another. Any number of
relays may run. What the governments say is decided here if the gateway that took it could not, cases that have lost
their workflow get a new one (`sweep.py`), boarding checks become events (`upkeep.py`), and the histories of runs that
have ended are kept (`historian.py`).
"""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, cast

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts import CaseMessageName
from activities.notify import PendingNotification, notify
from cases.programme_commands import handle_programme
from config import ConfigurationError, Settings, load_settings
from eventstore.inbox import Inbox, UnnotifiedMessage
from eventstore.store import StoreUnavailable
from gateway.backing import Backing, open_backing, open_pruning
from gateway.historian import HISTORIAN_PERIOD_S, Historian
from gateway.sweep import SWEEP_PERIOD_S, sweep_once
from gateway.trouble import tell
from gateway.upkeep import PRUNE_PERIOD_S, RECORD_PERIOD_S, Prune, keep_up, record_checks
from health import health_answered
from logs import configure_logs
from workflows.contracts import identity
from workflows.payloads import DATA_CONVERTER

_log = structlog.get_logger()

BATCH: Final = 100
"""Rows claimed at once: half a second of notifying, so that a relay that dies delays few."""
IDLE_S: Final = 0.05
"""A message waits for its notification half of this on average; an idle look costs one read of an empty index."""
DRAIN_S: Final = 10.0
"""A batch takes well under a second while Temporal answers; when it does not, the rows are claimed again later."""
BACKOFF_FIRST_S: Final = 0.1
BACKOFF_MAX_S: Final = 5.0
"""Each look during an outage claims a batch, which then waits out its 30 seconds: few looks, few that wait."""

Notify = Callable[[Iterable[PendingNotification]], Awaitable[None]]
"""Signals, and starts where none runs, the workflows of these cases; raises when one could not be told."""

HandleProgramme = Callable[[str], Awaitable[object]]
"""Has a programme take its undecided messages (`cases.programme_commands`)."""


async def notify_once(inbox: Inbox, notify: Notify, handle_programme: HandleProgramme, limit: int = BATCH) -> int:
    """Claim at most `limit` rows that are due and notify their cases; how many there were.

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
    return PendingNotification(row.case_id, cast("CaseMessageName", row.kind), row.message_id, row.number)


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
        """It has looked, and what it notified last was heard."""
        return self._looked and self._failures == 0

    async def run(self, stopped: asyncio.Event) -> None:
        """Notify until `stopped`; the batch under way is notified to its end.

        Every failure is tried again: cases must be notified whatever happened to one of them. A failure of a kind that
        nobody foresaw is an alarm.
        """
        while not stopped.is_set():
            pause_s = await self._look()
            if pause_s > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopped.wait(), pause_s)

    async def _look(self) -> float:
        """One look, and the seconds to the next."""
        try:
            notified = await notify_once(self.inbox, self.notify, self.handle_programme, self.limit)
        except Exception as error:  # noqa: BLE001  the boundary: whatever it is, the next look is due
            self._failures += 1
            tell("notifying failed", error, failures=self._failures, again_in_s=self._pause_s)
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


class Temporal:
    """The way to Temporal, opened at the first need: it may be away when the relay starts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Client | None = None

    async def client(self) -> Client:
        """A client that can hold nothing personal. Raises `RPCError` while Temporal cannot be reached."""
        if self._client is None:
            try:
                self._client = await Client.connect(
                    **self._settings.temporal,
                    data_converter=DATA_CONVERTER,
                    identity=identity("relay", secrets.token_hex(4)),
                )
            except RuntimeError:  # all that the SDK says of a first connection that fails
                raise RPCError("not connected", RPCStatusCode.UNAVAILABLE, b"") from None
        return self._client


def relay_of(backing: Backing, temporal: Temporal) -> Relay:
    """The relay over this database and this Temporal."""

    async def notify_cases(notifications: Iterable[PendingNotification]) -> None:
        await notify(await temporal.client(), notifications, backing.cases.is_closed)

    async def handle_now(programme: str) -> None:
        await handle_programme(backing.cases, programme, backing.now())

    return Relay(backing.inbox, notify_cases, handle_now)


def beside(group: asyncio.TaskGroup, backing: Backing, temporal: Temporal, prune: Prune) -> list[asyncio.Task[None]]:
    """Begin what goes on beside notifying, each until it is cancelled."""

    async def sweep() -> None:
        await sweep_once(backing.cases, await temporal.client(), backing.now())

    async def record() -> None:
        await record_checks(backing.store.access)

    historian = Historian(temporal.client, backing.store, backing.now)
    return [
        group.create_task(keep_up("sweep", sweep, SWEEP_PERIOD_S)),
        group.create_task(keep_up("storing histories", historian.look, HISTORIAN_PERIOD_S)),
        group.create_task(keep_up("recording boarding checks", record, RECORD_PERIOD_S)),
        group.create_task(keep_up("pruning refusals", prune, PRUNE_PERIOD_S)),
    ]


async def serve(settings: Settings) -> None:
    """Notify until SIGTERM or SIGINT; what is under way then has `DRAIN_S` to end."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with open_backing(settings) as backing, open_pruning(settings) as prune, asyncio.TaskGroup() as group:
        temporal = Temporal(settings)
        relay = relay_of(backing, temporal)
        notifying = group.create_task(relay.run(stopped))
        others = beside(group, backing, temporal, prune)
        async with health_answered(settings, lambda: relay.ready):
            _log.info("relay notifies")
            await stopped.wait()
        for each in others:
            each.cancel()
        await asyncio.wait([notifying], timeout=DRAIN_S)
        notifying.cancel()


def main() -> int:
    """Exit codes: 0 after an orderly end, 2 when a setting is wrong or the database cannot be reached."""
    try:
        settings = load_settings()
        configure_logs(settings, "relay")
        asyncio.run(serve(settings))
    except (ConfigurationError, StoreUnavailable) as error:
        print(error, file=sys.stderr)  # noqa: T201  the one line of a start that fails
        return 2
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # one clean exit of Temporal's SDK in sixteen aborts instead
