"""One real Postgres a test worker, and a fresh database a test, copied from a migrated template.

The server runs without fsync: no test cuts the power, and a killed server loses nothing that reached the kernel.
"""

import asyncio
import itertools
from collections.abc import Iterator

import asyncpg
import pytest

from eventstore.migrate import migrate
from stack.postgres import EmbeddedPostgres

TEMPLATE = "passage_template"
_NUMBER = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A running server whose template database has every migration."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres server"), fsync=False)
    asyncio.run(_start(server))
    yield server
    asyncio.run(server.stop())


async def _start(server: EmbeddedPostgres) -> None:
    await server.start()
    await migrate(await server.ensure_database(TEMPLATE))


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The superuser's URL of a database of this test's own."""
    name = f"test_{next(_NUMBER)}"
    asyncio.run(_execute(postgres_server.url(), f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"'))
    yield postgres_server.url(name)
    asyncio.run(_execute(postgres_server.url(), f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
def empty_database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """A database without the schema."""
    name = f"empty_{next(_NUMBER)}"
    asyncio.run(_execute(postgres_server.url(), f'CREATE DATABASE "{name}"'))
    yield postgres_server.url(name)
    asyncio.run(_execute(postgres_server.url(), f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
