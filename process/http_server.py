"""An HTTP server that ends in order when the process is asked to stop."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI


async def serve_app(app: FastAPI, host: str, port: int, *, drain_s: int, **limits: Any) -> None:
    """Serve until SIGTERM or SIGINT. Requests under way then have `drain_s` seconds to end.

    `limits` are further settings of `uvicorn.Config`.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=drain_s,
        **limits,
    )
    await _Server(config).serve()


class _Server(uvicorn.Server):
    """Ends by returning. Uvicorn's own handlers would raise the signal again before the rest is closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end `serve`."""
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, self.handle_exit, each, None)
        yield
