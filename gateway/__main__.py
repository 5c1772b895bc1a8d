"""`python -m gateway`: the gateway as a process."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
import uvicorn
from fastapi import FastAPI

from cases.programme_commands import open_if_new
from config import ConfigurationError, Settings, load_settings
from eventstore.store import StoreUnavailable
from gateway.app import create_app
from gateway.backing import guarded, open_backing
from gateway.deps import GatewayDeps
from gateway.intake import WAIT_MAX_S
from logs import configure_logs

_log = structlog.get_logger()

CONNECTIONS_MAX: Final = 1000
"""More are told to come again: a queue that cannot be bounded elsewhere is bounded here."""
IDLE_CONNECTION_S: Final = 75
"""Longer than HTTP clients and balancers keep an idle connection (5 to 60 s as they come), so that it is they who close
it: who closes while a request is on its way makes its sender wonder whether it was taken."""
DRAIN_S: Final = int(WAIT_MAX_S) + 2
"""The longest that an answer takes which is under way."""
GARBAGE_AFTER: Final = 50_000
"""Objects made and not yet freed until Python looks for cycles among them: some MiB. At 700, as it comes, that was a
sixth of all work, for a request makes thousands of objects and hardly a cycle."""


class _Server(uvicorn.Server):
    """Ends by returning: uvicorn's own handlers would raise the signal again, past what is left to close."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end `serve`."""
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, self.handle_exit, each, None)
        yield


async def serve(settings: Settings) -> None:
    """Answer until SIGTERM or SIGINT, then finish what is under way."""
    async with open_backing(settings) as backing, guarded(backing, settings) as deps:
        await _open_programme(settings, deps)
        server = _server(create_app(deps), settings)
        _collect_seldom()
        _log.info("gateway answers", host=settings.gateway_host, port=settings.gateway_port)
        await server.serve()


def _collect_seldom() -> None:
    """What stands when serving begins stays, and is not looked through again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, 10, 10)


async def _open_programme(settings: Settings, deps: GatewayDeps) -> None:
    """Nothing can be filed before the programme is open, so whoever takes filings sees to it."""
    rules = deps.cases.rules.get(settings.programme_rules)
    if rules is None:
        raise ConfigurationError(f"PASSAGE_PROGRAMME_RULES: there is no rule set {settings.programme_rules}")
    await open_if_new(deps.cases, settings.programme, rules, settings.programme_places, deps.now())


def _server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        host=settings.gateway_host,
        port=settings.gateway_port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody is told or held to an address
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=IDLE_CONNECTION_S,
        timeout_graceful_shutdown=DRAIN_S,
    )
    return _Server(config)


def main() -> int:
    """Exit codes: 0 after an orderly end, 2 when a setting is wrong or the database cannot be reached."""
    try:
        settings = load_settings()
        configure_logs(settings, "gateway")
        asyncio.run(serve(settings))
    except (ConfigurationError, StoreUnavailable) as error:
        print(error, file=sys.stderr)  # noqa: T201  the one line of a start that fails
        return 2
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # Temporal's SDK is loaded with the activities, and one clean exit of it in sixteen aborts
