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

from activities.casebook import CaseBook
from activities.govern import govern, open_if_new
from activities.partners.agreements import read_agreements
from activities.ring import InboxBell, ring
from domain.rules.rule_set import bundled_rule_book
from eventstore.keys import DirectoryKeyStore
from eventstore.lookups import Lookups
from eventstore.postgres import PostgresStore
from gateway.app import create_app
from gateway.deps import GatewayDeps
from gateway.figures import PostgresFigures
from gateway.relay import ring_once
from gateway.senders import ANYBODY
from gateway.tokens import OPEN
from simulation.format.scenario import Scenario
from simulation.play.agenda import Agenda, first_moment
from simulation.play.client import GatewayClient
from simulation.play.names import CaseNames
from simulation.play.player import Player
from simulation.skipped.clock import DeadlinesAtTheirMoment, ScenarioClock
from simulation.skipped.driver import REPLAN, SCENARIO_WORKFLOW
from simulation.skipped.moments import Moments
from simulation.skipped.partners import GATEWAY_URL, AgendaScheduler, SkippedEntrances, open_partners
from simulation.skipped.run_folder import RunFolder
from simulation.skipped.settling import Settling
from simulation.skipped.skipping_server import SkippingServer, open_skipping_server
from worker import Backing, case_workers
from workflows.safe_payloads import DATA_CONVERTER

POOL_MAX: Final = 8
"""Connections of the store and as many of whoever watches: both at once stay far below what the server allows."""


@dataclass(frozen=True, slots=True)
class Staging:
    """A scenario that is ready to be played."""

    server: SkippingServer
    store: PostgresStore
    figures: PostgresFigures
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
    backing = await _open_backing(stack, clock, database_url, keys)
    rules = bundled_rule_book()[scenario.rules]
    await open_if_new(backing.book, scenario.programme, rules, scenario.places, clock.moment)
    agenda, names, figures = Agenda(scenario), CaseNames(), PostgresFigures(pool)
    partners = await stack.enter_async_context(
        open_partners(AgendaScheduler(agenda, clock, names, replan=_replan(server)))
    )
    client = _case_client(server, clock)
    for worker in case_workers(client, backing, partners.clients, read_agreements()):
        await stack.enter_async_context(worker)
    http = await stack.enter_async_context(_gateway(backing, figures))
    entrances = SkippedEntrances(scenario.programme, GatewayClient(http, patience_s=0), names, partners=partners)
    settling = Settling(pool, ring=_relay(backing, client))
    player = Player(entrances, settling.settle)
    moments = Moments(agenda, clock, player, settling, scenario.until)
    return Staging(server, backing.store, figures, names, player, moments)


async def _open_backing(stack: AsyncExitStack, clock: ScenarioClock, database_url: str, keys: Path) -> Backing:
    key_store = DirectoryKeyStore(keys)
    store = await PostgresStore.connect(database_url, key_store, connections=POOL_MAX)
    stack.push_async_callback(store.close)
    book = CaseBook(store, store.inbox, Lookups(await key_store.pepper()), bundled_rule_book())
    return Backing(store, book, clock)


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


def _gateway(backing: Backing, figures: PostgresFigures) -> httpx2.AsyncClient:
    """A client of the gateway, which leaves the bells to the relay."""
    app = create_app(
        GatewayDeps(
            book=backing.book,
            store=backing.store,
            inbox=backing.store.inbox,
            figures=figures,
            clock=backing.clock,
            senders=ANYBODY,
            tokens=OPEN,
        )
    )
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=GATEWAY_URL, trust_env=False)


def _relay(backing: Backing, client: Client) -> Callable[[], Awaitable[None]]:
    """The relay's round, without its process: bells are rung while the driver's activity runs, or time would skip."""

    async def tell(bells: Iterable[InboxBell]) -> None:
        await ring(client, bells, backing.book.is_closed)

    async def have_governed(programme: str) -> None:
        await govern(backing.book, programme, backing.clock.now(datetime.now(UTC)))

    async def look() -> None:
        await ring_once(backing.store.inbox, tell, have_governed, limit=1)

    return look
