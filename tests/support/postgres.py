"""One real Postgres a test worker, and a fresh database a test, copied from a migrated template.

The server runs without fsync: no test cuts the power, and a killed server loses nothing that reached the kernel.
"""

import asyncio
import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from eventstore.postgres.migrate import migrate
from stack.postgres.server import EmbeddedPostgres

TEMPLATE = "passage_template"
_NUMBER = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """A running server whose template database has every migration."""
    # A folder of its own: pytest's are cleaned up by whoever runs next.
    with tempfile.TemporaryDirectory(prefix="passage postgres ", ignore_cleanup_errors=True) as home:
        server = EmbeddedPostgres(Path(home), fsync=False)
        asyncio.run(_start(server))
        yield server
        asyncio.run(server.stop())


async def _start(server: EmbeddedPostgres) -> None:
    await server.start()
    await migrate(await server.ensure_database(TEMPLATE))


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The superuser's URL of a database of this test's own."""
    with fresh_database(postgres_server) as url:
        yield url


@contextmanager
def fresh_database(server: EmbeddedPostgres) -> Iterator[str]:
    """The superuser's URL of a migrated database that nobody else has."""
    name = f"test_{next(_NUMBER)}"
    asyncio.run(_execute(server.url(), f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}" STRATEGY FILE_COPY'))
    yield server.url(name)
    asyncio.run(_execute(server.url(), f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
def empty_database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """A database without the schema."""
    name = f"empty_{next(_NUMBER)}"
    asyncio.run(_execute(postgres_server.url(), f'CREATE DATABASE "{name}" STRATEGY FILE_COPY'))
    yield postgres_server.url(name)
    asyncio.run(_execute(postgres_server.url(), f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
