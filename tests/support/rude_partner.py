"""A partner that repeats in its answers what it was asked: all of somebody's data, in every kind of answer there is."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from typing import Final, Literal

Manner = Literal["refused", "failed", "malformed", "misdirected", "taken"]

_STATUS: Final[dict[Manner, str]] = {
    "refused": "422 Unprocessable Content",
    "failed": "500 Internal Server Error",
    "malformed": "202 Accepted",
    "misdirected": "202 Accepted",
    "taken": "202 Accepted",
}


class RudePartner:
    """Behaves in the manners given, call by call, and in the last one from then on."""

    def __init__(self, manners: Sequence[Manner]) -> None:
        self._manners = list(manners)
        self.url = ""
        self.calls: list[Manner] = []

    @contextlib.asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        """Answers on 127.0.0.1 meanwhile."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        async with server:
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        body = await reader.readexactly(int(lines[b"content-length"]))
        manner = self._manners.pop(0) if len(self._manners) > 1 else self._manners[0]
        self.calls.append(manner)
        answer = self._answer(manner, body)
        writer.write(
            f"HTTP/1.1 {_STATUS[manner]}\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + answer
        )
        await writer.drain()
        writer.close()

    def _answer(self, manner: Manner, body: bytes) -> bytes:
        asked = json.loads(body)
        receipt = {"request_id": asked["request_id"], "accepted_at": "2022-10-20T12:00:00Z", "remarks": asked}
        if manner == "misdirected":
            receipt["request_id"] = "another"
        if manner == "malformed":
            receipt["accepted_at"] = json.dumps(asked)
        return json.dumps(receipt).encode() if manner != "failed" else body
