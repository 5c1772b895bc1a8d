"""Puts one scenario on its stage: a server, a database, keys, a clock, and all of Passage in this process."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg
import httpx2
from temporalio.client import Client

from activities.notify import PendingNotification, notify
from activities.partners.agreements import read_agreements
from cases.inbound.senders import ANYBODY
from cases.programme_commands import handle_programme
from eventstore.keys import DirectoryKeyStore
from eventstore.operations import Statistics
from eventstore.postgres.store import PostgresStore
from gateway.app import create_app
from gateway.deps import GatewayDeps
from gateway.identity.tokens import OPEN
from process.backing import Backing, opened_backing
from relay.relay import notify_once
from simulation.format.scenario import Scenario
from simulation.play.agenda import Agenda, first_moment
from simulation.play.client import GatewayClient
from simulation.play.names import CaseNames
from simulation.play.opening import open_programmes, prefix_of
from simulation.play.player import Player
from simulation.skipped.clock import DeadlinesAtTheirMoment, ScenarioClock
from simulation.skipped.driver import REPLAN, SCENARIO_WORKFLOW
from simulation.skipped.moments import Moments
from simulation.skipped.partners import GATEWAY_URL, AgendaScheduler, SkippedEntrances, open_partners
from simulation.skipped.run_folder import RunFolder
from simulation.skipped.settling import Settling
from simulation.skipped.skipping_server import SkippingServer, open_skipping_server
from worker import case_workers
from workflows.payloads import DATA_CONVERTER

POOL_MAX: Final = 8
"""Connections of the store and as many of whoever watches: both at once stay far below what the server allows."""


@dataclass(frozen=True, slots=True)
class Staging:
    """A scenario that is ready to be played."""

    server: SkippingServer
    store: PostgresStore
    statistics: Statistics
    names: CaseNames
    player: Player
    moments: Moments


async def open_staging(
    stack: AsyncExitStack, scenario: Scenario, database_url: str, folder: RunFolder, keys: Path
) -> Staging:
    """Set everything up; `stack` takes it down again."""
    server = await stack.enter_async_context(open_skipping_server(folder))
    clock = ScenarioClock(first_moment(scenario), await server.now())
    pool = await stack.enter_async_context(asyncpg.create_pool(database_url, min_size=1, max_size=POOL_MAX))
    backing = await stack.enter_async_context(
        opened_backing(database_url, DirectoryKeyStore(keys), clock, connections=POOL_MAX)
    )
    await open_programmes(backing.cases, scenario, clock.moment)
    agenda, names = Agenda(scenario), CaseNames(prefix_of(scenario))
    partners = await stack.enter_async_context(
        open_partners(AgendaScheduler(agenda, clock, names, replan=_replan(server)))
    )
    client = _case_client(server, clock)
    for worker in case_workers(client, backing, partners.clients, read_agreements(), ANYBODY):
        await stack.enter_async_context(worker)
    http = await stack.enter_async_context(_gateway(backing))
    entrances = SkippedEntrances(GatewayClient(http, patience_s=0), names, partners=partners)
    settling = Settling(pool, notify=_relay(backing, client))
    player = Player(entrances, settling.settle)
    moments = Moments(agenda, clock, player, settling, scenario.until)
    return Staging(server, backing.store, backing.store.statistics, names, player, moments)


def _case_client(server: SkippingServer, clock: ScenarioClock) -> Client:
    """The client of worker and relay: nothing personal passes it, and deadlines keep to the nominal clock."""
    return Client(
        server.client.service_client,
        namespace=server.client.namespace,
        data_converter=DATA_CONVERTER,
        interceptors=[DeadlinesAtTheirMoment(clock)],
    )


def _replan(server: SkippingServer) -> Callable[[], Awaitable[None]]:
    driver = server.client.get_workflow_handle(SCENARIO_WORKFLOW)

    async def replan() -> None:
        await driver.signal(REPLAN)

    return replan


def _gateway(backing: Backing) -> httpx2.AsyncClient:
    """A client of the gateway, which leaves notifications to the relay."""
    app = create_app(
        GatewayDeps(
            cases=backing.cases,
            store=backing.store,
            inbox=backing.store.inbox,
            statistics=backing.store.statistics,
            clock=backing.clock,
            senders=ANYBODY,
            tokens=OPEN,
        )
    )
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=GATEWAY_URL, trust_env=False)


def _relay(backing: Backing, client: Client) -> Callable[[], Awaitable[None]]:
    """The relay's round, without its process: it signals while the driver's activity runs, or time would skip."""

    async def tell(notifications: Iterable[PendingNotification]) -> None:
        await notify(client, notifications, backing.cases.has_closed)

    async def have_governed(programme: str) -> None:
        await handle_programme(backing.cases, programme, backing.clock.now(datetime.now(UTC)))

    async def look() -> None:
        await notify_once(backing.store.inbox, tell, have_governed, limit=1)

    return look
