"""`python -m relay`: the relay as a process, and what goes on beside it."""

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Iterable
from typing import Final

import structlog
from process.backing import Backing, open_backing
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.notify import PendingNotification, notify
from cases.programme_commands import handle_programme
from eventstore.conflicts import StoreUnavailable
from gateway.backing import open_pruning
from process.config import ConfigurationError, Settings, load_settings
from process.health import health_answered
from process.logs import configure_logs
from relay.history_archiver import ARCHIVE_PERIOD_S, HistoryArchiver
from relay.maintenance import PRUNE_PERIOD_S, RECORD_PERIOD_S, Prune, keep_up, record_checks
from relay.relay import Relay
from relay.sweep import SWEEP_PERIOD_S, sweep_once
from workflows.contracts import identity
from workflows.payloads import DATA_CONVERTER

_log = structlog.get_logger()

DRAIN_S: Final = 10.0
"""A batch takes well under a second while Temporal answers; when it does not, the rows are claimed again later."""


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

    historian = HistoryArchiver(temporal.client, backing.store, backing.now)
    return [
        group.create_task(keep_up("sweep", sweep, SWEEP_PERIOD_S)),
        group.create_task(keep_up("storing histories", historian.look, ARCHIVE_PERIOD_S)),
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
