"""A whole stack whose every connection runs through a proxy, and whose database has a small disk of its own."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import asyncpg

from process.config import Settings
from tests.chaos.disk import Disk
from tests.chaos.proxy import Address, Link
from tests.chaos.stack_program import upstream_port
from tests.support.whole_stack import WholeStack

_PROGRAM: Final = Path(__file__).with_name("stack_program.py")
LINKS: Final = {
    "postgres": "PASSAGE_DATABASE_URL",
    "temporal": "TEMPORAL_ADDRESS",
    "gateway": "PASSAGE_GATEWAY_URL",
    "partners": "PASSAGE_PARTNERS_URL",
}
"""Each server that a program of ours talks to, and the setting that says where it is."""


class Arena:
    """The stack under attack and every means of attacking it. Use `opened`."""

    def __init__(self, home: Path, seed: int, **settings: str) -> None:
        data_dir = home / ".passage"
        self.links = {
            name: Link(name, partial(_upstream, data_dir, variable), random.Random(f"{seed} {name}"))  # noqa: S311  no secret
            for name, variable in LINKS.items()
        }
        self.disk = Disk(data_dir / "postgres")
        self.stack = WholeStack(home, **settings)
        self.restarted = asyncio.Event()
        """Set when the whole stack was started again, so that its database is elsewhere now."""

    @property
    def settings(self) -> Settings:
        """With which a sender reaches the stack as it is now: the gateway through its link."""
        url = f"http://127.0.0.1:{self.links['gateway'].port}"
        return self.stack.settings.model_copy(update={"gateway_url": url})

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator["Arena"]:
        """The stack is up meanwhile; afterwards nothing of it is left, whatever happened."""
        async with contextlib.AsyncExitStack() as links:
            for link in self.links.values():
                await links.enter_async_context(link.listening())
            ports = {LINKS[name]: link.port for name, link in self.links.items()}
            self.stack.program = (str(_PROGRAM), json.dumps(ports))
            with self.disk.mounted():
                try:
                    await asyncio.to_thread(self.stack.start)
                    yield self
                finally:
                    self.stack.close()

    async def restart(self, clock_step: timedelta = timedelta(0)) -> None:
        """Every process is killed at once, and all are started again; meanwhile the clock may have been set."""
        self.stack.kill_everything()
        if clock_step:
            self.stack.step_clock(clock_step)
        await asyncio.to_thread(self.stack.start)
        self.restarted.set()

    @contextlib.asynccontextmanager
    async def database(self) -> AsyncIterator[asyncpg.Connection]:
        """The owner's connection, past the link."""
        connection = await asyncpg.connect(self.stack.settings.required_database_url, timeout=20)
        try:
            yield connection
        finally:
            await connection.close(timeout=5)


def _upstream(data_dir: Path, variable: str) -> Address | None:
    port = upstream_port(data_dir, variable)
    return None if port is None else ("127.0.0.1", port)
