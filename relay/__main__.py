"""`python -m relay`: notifies cases, and does the periodic work that belongs to no other program."""

import asyncio
from collections.abc import Iterable
from typing import Final

import structlog

from activities.notify import PendingNotification, notify
from cases.programme_commands import handle_programme
from process.backing import Backing, open_backing
from process.config import Settings
from process.health import health_answered
from process.main import run, stop_requested
from process.temporal import TemporalConnection
from relay.history_archiver import ARCHIVE_PERIOD_S, HistoryArchiver
from relay.maintenance import PRUNE_PERIOD_S, RECORD_PERIOD_S, keep_up, record_checks
from relay.relay import Relay
from relay.sweep import SWEEP_PERIOD_S, sweep_once

_log = structlog.get_logger()

DRAIN_S: Final = 10.0
"""A batch takes well under a second while Temporal answers; when it does not, the rows are claimed again later."""


def relay_of(backing: Backing, temporal: TemporalConnection) -> Relay:
    """The relay over this database and this Temporal."""

    async def notify_cases(notifications: Iterable[PendingNotification]) -> None:
        await notify(await temporal.client(), notifications, backing.cases.has_closed)

    async def handle_now(programme: str) -> None:
        await handle_programme(backing.cases, programme, backing.now())

    return Relay(backing.inbox, notify_cases, handle_now)


def beside(group: asyncio.TaskGroup, backing: Backing, temporal: TemporalConnection) -> list[asyncio.Task[None]]:
    """Begin what goes on beside notifying, each until it is cancelled."""

    async def sweep() -> None:
        await sweep_once(backing.cases, await temporal.client())

    async def record() -> None:
        await record_checks(backing.store.access)

    archiver = HistoryArchiver(temporal.client, backing.store, backing.now)
    return [
        group.create_task(keep_up("sweep", sweep, SWEEP_PERIOD_S)),
        group.create_task(keep_up("storing histories", archiver.look, ARCHIVE_PERIOD_S)),
        group.create_task(keep_up("recording boarding checks", record, RECORD_PERIOD_S)),
        group.create_task(keep_up("pruning refusals", backing.store.guard.prune_refusals, PRUNE_PERIOD_S)),
        group.create_task(keep_up("pruning reads", backing.store.guard.prune_reads, PRUNE_PERIOD_S)),
    ]


async def serve(settings: Settings) -> None:
    """Notify until SIGTERM or SIGINT; what is under way then has `DRAIN_S` to end."""
    stopped = stop_requested()
    async with open_backing(settings) as backing, asyncio.TaskGroup() as group:
        temporal = TemporalConnection(settings, "relay")
        relay = relay_of(backing, temporal)
        notifying = group.create_task(relay.run(stopped))
        others = beside(group, backing, temporal)
        async with health_answered(settings, lambda: relay.ready):
            _log.info("relay notifies")
            await stopped.wait()
        for each in others:
            each.cancel()
        await asyncio.wait([notifying], timeout=DRAIN_S)
        notifying.cancel()


if __name__ == "__main__":
    run("relay", serve)
