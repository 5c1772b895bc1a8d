"""One Postgres for all scenarios of a run, and a fresh, migrated database for each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from process.bootstrap import migrate_database
from simulation.skipped.run_folder import RunFolder
from stack.errors import StackError
from stack.postgres.server import EmbeddedPostgres, PostgresFailed

_TEMPLATE: Final = "scenario_template"


class Databases:
    """Makes a fresh, migrated database for each scenario."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._count = 0
        self._copying = asyncio.Lock()

    async def migrate(self) -> None:
        """Make the template that all databases are copied from. Raises BootstrapFailed."""
        await migrate_database(await self._server.ensure_database(_TEMPLATE))

    async def create(self) -> str:
        """A new database; its owner's URL."""
        async with self._copying:  # Postgres refuses two copies of one template at once
            self._count += 1
            name = f"scenario_{self._count}"
            connection = await asyncpg.connect(self._server.url(), timeout=10)
            try:
                await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{_TEMPLATE}"')
            finally:
                await connection.close()
        return self._server.url(name)


@asynccontextmanager
async def open_databases(folder: RunFolder) -> AsyncIterator[Databases]:
    """Databases for one run; they are gone afterwards.

    Raises:
        StackError: Postgres cannot be started.
    """
    # Nothing here outlives the run, so nothing has to survive a power cut.
    server = EmbeddedPostgres(folder.postgres, fsync=False)
    try:
        await server.start()
    except PostgresFailed as error:
        raise StackError(str(error)) from None
    try:
        databases = Databases(server)
        await databases.migrate()
        yield databases
    finally:
        await server.stop()
