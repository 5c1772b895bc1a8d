"""A TCP proxy of our own, put between two programs, that can spoil what passes through it."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from typing import Final, Literal

Trouble = Literal["slow", "cut", "torn", "deaf"]
"""`slow`: each piece comes late. `cut`: every connection is reset, each new one too. `torn`: of the next piece only the
first half arrives, then the end. `deaf`: what is said arrives, the answer never does, and at last there is a reset."""

Address = tuple[str, int]

_PIECE_BYTES: Final = 65_536
_SLOW_S: Final = (0.02, 0.3)
"""For each piece: a line across an ocean, at worst a bad one."""
_CONNECT_TIMEOUT_S: Final = 5.0


class Link:
    """The proxy of one server, on a port of 127.0.0.1 that stays the same while the server moves.

    Args:
        name: what is behind it, for people.
        upstream: where the server is now; None while nobody knows. Asked at each new connection.
        chance: decides how late a piece comes.
    """

    def __init__(self, name: str, upstream: Callable[[], Address | None], chance: random.Random) -> None:
        self.name = name
        self.port = 0
        self.spoiled = 0
        """Connections that a trouble has ended."""
        self._upstream = upstream
        self._chance = chance
        self._trouble: Trouble | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Passes on meanwhile."""
        server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for task in self._serving:
                task.cancel()
            self._reset_all()

    @contextlib.asynccontextmanager
    async def under(self, trouble: Trouble) -> AsyncIterator[None]:
        """Spoils what passes meanwhile; at the end whoever was spoken to in vain is let go."""
        self._trouble = trouble
        if trouble == "cut":
            self._spoil_all()
        try:
            yield
        finally:
            self._trouble = None
            if trouble == "deaf":
                self._spoil_all()

    def _take(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(client, answers))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        upstream = self._upstream()
        if self._trouble == "cut" or upstream is None:
            answers.transport.abort()
            return
        try:
            server, questions = await asyncio.wait_for(asyncio.open_connection(*upstream), _CONNECT_TIMEOUT_S)
        except (OSError, TimeoutError):
            answers.transport.abort()
            return
        await self._converse(client, questions, server, answers)

    async def _converse(
        self,
        client: asyncio.StreamReader,
        questions: asyncio.StreamWriter,
        server: asyncio.StreamReader,
        answers: asyncio.StreamWriter,
    ) -> None:
        """Until either side has ended: none of our programs listens on once it has said its last."""
        self._open |= {questions, answers}
        there = asyncio.create_task(self._pass(client, questions, is_answer=False))
        back = asyncio.create_task(self._pass(server, answers, is_answer=True))
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            there.cancel()
            back.cancel()
            self._open -= {questions, answers}
            for writer in (questions, answers):
                writer.close()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(_PIECE_BYTES):
                if self._trouble == "slow":
                    await asyncio.sleep(self._chance.uniform(*_SLOW_S))
                if self._trouble == "deaf" and is_answer:
                    continue
                is_torn = self._trouble == "torn"
                target.write(piece[: len(piece) // 2] if is_torn else piece)
                await target.drain()
                if is_torn:
                    self.spoiled += 1
                    return

    def _spoil_all(self) -> None:
        self.spoiled += len(self._open) // 2
        self._reset_all()

    def _reset_all(self) -> None:
        for writer in self._open:
            writer.transport.abort()
