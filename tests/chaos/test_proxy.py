"""The proxy passes everything on, and spoils it in the way it is told to."""

import asyncio
import random
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chaos.proxy import Link

LONG = bytes(range(256)) * 4096


class Server:
    """Repeats what it hears, and keeps it."""

    def __init__(self) -> None:
        self.heard = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1000):
            self.heard += piece
            writer.write(piece)
            await writer.drain()
        writer.close()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest_asyncio.fixture
async def link(server: Server) -> AsyncIterator[Link]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    address = listening.sockets[0].getsockname()[:2]
    link = Link("echo", lambda: address, random.Random(1))  # noqa: S311  no secret
    async with listening, link.listening():
        yield link


async def said(link: Link, words: bytes) -> bytes:
    """What comes back until the line is closed, or for a second."""
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    writer.write(words)
    back = b""
    try:
        async with asyncio.timeout(1):
            while len(back) < len(words) and (piece := await reader.read(65_536)):
                back += piece
    except (TimeoutError, ConnectionError):
        pass
    writer.close()
    return back


async def test_it_passes_everything_on(link: Link) -> None:
    assert await said(link, LONG) == LONG


async def test_it_says_nothing_of_a_server_that_is_nowhere() -> None:
    link = Link("nowhere", lambda: None, random.Random(1))  # noqa: S311  no secret
    async with link.listening():
        assert await said(link, b"hello") == b""


async def test_slow_is_late_and_whole(link: Link) -> None:
    began = time.monotonic()
    async with link.under("slow"):
        assert await said(link, b"hello") == b"hello"
    assert time.monotonic() - began > 0.04


async def test_cut_ends_what_is_open_and_takes_nothing_new(link: Link) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    async with link.under("cut"):
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        assert await said(link, b"hello") == b""
    writer.close()
    assert await said(link, b"hello") == b"hello"
    assert link.spoiled == 1


async def test_torn_lets_half_a_piece_through(link: Link, server: Server) -> None:
    async with link.under("torn"):
        assert len(await said(link, b"hello, you")) < 10
    assert server.heard == b"hello"


async def test_deaf_is_heard_and_hears_nothing(link: Link, server: Server) -> None:
    async with link.under("deaf"):
        assert await said(link, b"hello") == b""
        assert server.heard == b"hello"
    assert await said(link, b"hello") == b"hello"
