"""The catalog that `audit verify` compares a database with is that of a database which was only migrated."""

import asyncpg

from eventstore.postgres import catalog
from eventstore.postgres.migrate import migrate
from tests.support.shipped_catalog import FILE, stated_by


async def test_the_file_is_what_a_migrated_database_says(database_url: str) -> None:
    differing = sorted(set(await stated_by(database_url)) ^ catalog.shipped())
    assert differing == [], f"{FILE.name} is old: run `python -m tests.support.shipped_catalog`"


async def test_and_so_are_its_migrations(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    connection = await asyncpg.connect(empty_database_url)
    assert await catalog.migrated(connection) == catalog.shipped_migrations()
    await connection.close()
