"""`python -m simulators`: the simulated partners as a process of their own, beside the stack."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import uvicorn
from fastapi import FastAPI

from cases.clock import Clock, ScaledClock, SystemClock
from process.config import ConfigurationError, Settings, load_settings
from process.key_files import sender_keys
from process.logs import configure_logs
from simulators.app import create_app
from simulators.behaviour import AGREEABLE
from simulators.delivery import DELIVERY_TIMEOUT_S, GatewayDelivery, system_time
from simulators.desk import PartnerDesk
from simulators.journal import Journal, open_database


async def serve(settings: Settings, clock: Clock) -> None:
    """Run the partners until SIGINT or SIGTERM; a delivery that fails for a reason of its own ends the process."""
    keys = sender_keys(settings.sender_keys)
    database = open_database(settings.data_dir / "simulators" / "partners.sqlite3")
    async with (
        httpx2.AsyncClient(base_url=settings.gateway_url, trust_env=False, timeout=DELIVERY_TIMEOUT_S) as gateway,
        asyncio.TaskGroup() as group,
    ):
        delivery = GatewayDelivery(database, gateway, clock, keys=keys)
        journal = Journal(database, AGREEABLE)
        app = create_app(journal, PartnerDesk(journal, delivery, lambda: clock.now(system_time())))
        delivering = group.create_task(delivery.run())
        await _server(app, settings).serve()
        delivering.cancel()
    database.close()


class _Server(uvicorn.Server):
    """Ends by returning: uvicorn's own handlers would raise the signal again, past what is left to close."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end `serve`."""
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, self.handle_exit, each, None)
        yield


def _server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        host=settings.simulators_host,
        port=settings.simulators_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    return _Server(config)


def _clock(settings: Settings) -> Clock:
    if settings.clock_domain_epoch is None or settings.clock_server_epoch is None:
        return SystemClock()
    return ScaledClock(settings.clock_domain_epoch, settings.clock_server_epoch, settings.clock_factor)


def main() -> int:
    """Exit codes: 0 after an orderly end, 2 when a setting is wrong."""
    try:
        settings = load_settings()
        configure_logs(settings, "simulators")
        asyncio.run(serve(settings, _clock(settings)))
    except ConfigurationError as error:
        print(error, file=sys.stderr)  # noqa: T201  the one line of a start that fails
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
