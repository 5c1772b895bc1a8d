"""A client that costs next to nothing, so that the server is what is measured: open connections and ready bytes."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Final

CONNECTIONS: Final = 32
"""Twice the servers' database connections: neither side waits for the client."""
ANSWER_TIMEOUT_S: Final = 10.0

Make = Callable[[int], bytes]
"""A number that was never used before, to the whole request."""


class RefusedError(Exception):
    """An answer was not 202; says what it was."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a server took."""

    rate: float
    """Messages a second."""
    p99_ms: float


async def load(port: int, make: Make, numbers: "count[int]", seconds: float) -> Load:
    """Send as fast as it is answered, for so long. Raises `RefusedError`."""
    latencies: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(*(_connection(port, make, numbers, began + seconds, latencies) for _ in range(CONNECTIONS)))
    took_s = time.perf_counter() - began
    latencies.sort()
    return Load(len(latencies) / took_s, latencies[int(len(latencies) * 0.99)] * 1000)


async def _connection(port: int, make: Make, numbers: "count[int]", until: float, latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while (began := time.perf_counter()) < until:
            writer.write(make(next(numbers)))
            await asyncio.wait_for(_accepted(reader), ANSWER_TIMEOUT_S)
            latencies.append(time.perf_counter() - began)
    finally:
        writer.close()


async def _accepted(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(line.partition(b":")[2]) for line in head.lower().splitlines() if line.startswith(b"content-length")), 0
    )
    body = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 202"):
        raise RefusedError(f"{head.split(b' ', 2)[1].decode()} {body[:200].decode(errors='replace')}")
