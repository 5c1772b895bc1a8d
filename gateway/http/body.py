"""Reads a request's body: bounded in size and time, and only of the wanted media type."""

import asyncio
import re
from typing import Final

from fastapi import Request

from cases.inbound.strict_json import BODY_MAX_BYTES
from gateway.http.problems import Problem

BODY_TIMEOUT_S: Final = 10.0
"""Enough for 256 KiB over a very slow line. A sender that is slower loses its connection."""

_LENGTH: Final = re.compile(r"[0-9]{1,9}")


async def read_body(request: Request, wanted: str = "application/json") -> bytes:
    """The raw body, if it has the wanted media type.

    Raises:
        Problem: `unsupported-media-type`, `too-large` or `too-slow`.
        starlette.requests.ClientDisconnect: the sender closed the connection.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != wanted:
        raise Problem("unsupported-media-type")
    length = request.headers.get("content-length", "0")
    if not _LENGTH.fullmatch(length) or int(length) > BODY_MAX_BYTES:
        raise Problem("too-large")
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await _read(request)
    except TimeoutError:
        raise Problem("too-slow") from None


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            raise Problem("too-large")
    return bytes(body)
