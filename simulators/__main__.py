"""`python -m simulators`: the simulated partners as a process of their own, beside the stack."""

import asyncio
from typing import Final

import httpx2

from cases.inbound.webhooks import Verifier
from process.backing import clock_of
from process.config import Settings
from process.http_server import serve_app
from process.key_files import read_keys, sender_keys
from process.main import run
from simulators.app import CallProofs, create_app
from simulators.delivery import DELIVERY_TIMEOUT_S, GatewayDelivery, system_time
from simulators.desk import PartnerDesk
from simulators.journal import Journal, open_database
from simulators.scripts import AGREEABLE

DRAIN_S: Final = 5


async def serve(settings: Settings) -> None:
    """Run the partners until SIGINT or SIGTERM; a delivery that fails for a reason of its own ends the process."""
    keys, clock = sender_keys(settings.sender_keys), clock_of(settings)
    passage = {} if settings.caller_keys is None else read_keys(settings.caller_keys, Verifier.parse)
    database = open_database(settings.data_dir / "simulators" / "partners.sqlite3")
    async with (
        httpx2.AsyncClient(base_url=settings.gateway_url, trust_env=False, timeout=DELIVERY_TIMEOUT_S) as gateway,
        asyncio.TaskGroup() as group,
    ):
        delivery = GatewayDelivery(database, gateway, clock, keys=keys)
        journal = Journal(database, AGREEABLE)
        desk = PartnerDesk(journal, delivery, lambda: clock.now(system_time()))
        app = create_app(journal, desk, CallProofs(passage, keys))
        delivering = group.create_task(delivery.run())
        await serve_app(app, settings.simulators_host, settings.simulators_port, drain_s=DRAIN_S)
        delivering.cancel()
    database.close()


if __name__ == "__main__":
    run("simulators", serve)
