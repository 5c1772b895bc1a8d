"""`python -m gateway`: the gateway as a process."""

import gc
from typing import Final

import structlog

from cases.programme_commands import open_if_new
from domain import registry
from gateway.app import create_app
from gateway.assembly import open_gateway
from gateway.http.connections import BoundedProtocol
from gateway.routes.intake import WAIT_MAX_S
from process.backing import Backing, open_backing
from process.config import ConfigurationError, Settings
from process.http_server import serve_app
from process.main import run

_log = structlog.get_logger()

IDLE_CONNECTION_S: Final = 75
"""Longer than HTTP clients and load balancers keep an idle connection (5 to 60 s by default), so that they close it
first. If the server closed it while a request was on its way, the sender could not tell whether it was taken."""
DRAIN_S: Final = int(WAIT_MAX_S) + 2
"""The longest that a request under way can take."""
GARBAGE_AFTER: Final = 50_000
"""Allocations, some MiB, before Python collects cycles. At its default of 700 collection took a sixth of the CPU: a
request allocates thousands of objects and hardly any cycle."""


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests under way."""
    async with open_backing(settings) as backing, open_gateway(backing, settings) as deps:
        await _open_programme(settings, backing)
        app = create_app(deps)
        _collect_seldom()
        _log.info("gateway answers", host=settings.gateway_host, port=settings.gateway_port)
        await serve_app(
            app,
            settings.gateway_host,
            settings.gateway_port,
            drain_s=DRAIN_S,
            server_header=False,
            proxy_headers=False,  # `gateway/http/protection.py` reads them, from proxies that are trusted
            http=BoundedProtocol,
            timeout_keep_alive=IDLE_CONNECTION_S,
        )


def _collect_seldom() -> None:
    """Exclude what start-up allocated from garbage collection: it lives as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, 10, 10)


async def _open_programme(settings: Settings, backing: Backing) -> None:
    """Open the programme if it is new: nothing can be filed before that."""
    programme = registry.programmes().get(settings.programme)
    if programme is None:
        raise ConfigurationError(f"PASSAGE_PROGRAMME: there is no programme {settings.programme}")
    rules = programme.sets.get(settings.programme_rules)
    if rules is None:
        raise ConfigurationError(f"PASSAGE_PROGRAMME_RULES: there is no rule set {settings.programme_rules}")
    await open_if_new(backing.cases, rules, settings.programme_places, backing.now())


if __name__ == "__main__":
    run("gateway", serve)
