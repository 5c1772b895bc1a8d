"""Two questions that an orchestrator asks a program without a port of its own: does it live, and can it work?

`/healthz` answers 200 while the event loop turns; it never depends on Temporal or Postgres, or an outage of one of them
would restart every program. `/readyz` answers 200 or 503, as the program itself says.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from process.config import Settings

_REQUEST_TIMEOUT_S = 2
"""As long as an orchestrator waits for an answer."""
_REQUEST_MAX_BYTES = 4096


@asynccontextmanager
async def health_answered(settings: Settings, ready: Callable[[], bool]) -> AsyncIterator[None]:
    """Answer on `PASSAGE_PROBE_PORT` as long as the context lasts; nothing happens when no port is set."""
    if settings.probe_port is None:
        yield
        return

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                writer.write(_response(await reader.readline(), ready))
                await writer.drain()
        except (OSError, TimeoutError, ValueError):  # who asks badly or goes away gets no answer
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
