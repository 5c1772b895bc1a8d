"""Liveness and readiness probes for programs that serve no HTTP of their own.

`/healthz` answers 200 while the event loop runs. It does not depend on Temporal or Postgres: otherwise an outage of
either would restart every program. `/readyz` answers 200 or 503, as the program reports.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from process.config import Settings

_REQUEST_TIMEOUT_S = 2
"""The time that an orchestrator waits for an answer."""
_REQUEST_MAX_BYTES = 4096


@asynccontextmanager
async def health_answered(settings: Settings, ready: Callable[[], bool]) -> AsyncIterator[None]:
    """Answer on `PASSAGE_PROBE_PORT` while the context lasts; do nothing if no port is set."""
    if settings.probe_port is None:
        yield
        return

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                writer.write(_response(await reader.readline(), ready))
                await writer.drain()
        except (OSError, TimeoutError, ValueError):  # a malformed request, or a caller that went away, gets no answer
            return
        finally:
            writer.close()

    server = await asyncio.start_server(
        answer, settings.probe_host, settings.probe_port, limit=_REQUEST_MAX_BYTES, reuse_address=True
    )
    async with server:
        yield


def _response(request_line: bytes, ready: Callable[[], bool]) -> bytes:
    match request_line.split():
        case [b"GET", b"/healthz", _]:
            status = HTTPStatus.OK
        case [b"GET", b"/readyz", _]:
            status = HTTPStatus.OK if ready() else HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            status = HTTPStatus.NOT_FOUND
    return f"HTTP/1.1 {status} {status.phrase}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
