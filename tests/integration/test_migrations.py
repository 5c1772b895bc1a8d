"""The schema is the sum of its migrations: each once, in order, and never changed afterwards."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from eventstore.postgres.migrate import Migration, MigrationError, migrate, migrations


async def applied(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT name FROM passage.schema_migration ORDER BY number")
    await connection.close()
    return [row["name"] for row in rows]


async def test_an_empty_database_gets_every_migration_once(empty_database_url: str) -> None:
    first = await migrate(empty_database_url)
    assert list(first) == [each.name for each in migrations()] == await applied(empty_database_url)
    assert await migrate(empty_database_url) == ()


async def test_many_processes_starting_at_once_migrate_once(empty_database_url: str) -> None:
    results = await asyncio.gather(*(migrate(empty_database_url) for _ in range(6)))
    assert sorted(len(each) for each in results) == [0] * 5 + [len(migrations())]


async def test_a_changed_file_is_refused_by_name(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    changed = tuple(replace(each, checksum="0" * 64) if each.number == 2 else each for each in migrations())
    with pytest.raises(MigrationError, match=r"0002_bells was changed.*add a new migration"):
        await migrate(empty_database_url, changed)


async def test_an_older_program_refuses_a_newer_database(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    with pytest.raises(MigrationError, match=r"does not know: upgrade"):
        await migrate(empty_database_url, migrations()[:-1])


async def test_a_migration_that_fails_leaves_nothing_of_itself(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    number = migrations()[-1].number + 1
    broken = Migration(number, "9999_broken", "CREATE TABLE passage.half (x int); SELECT 1/0", "00")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty_database_url, (*migrations(), broken))
    assert await applied(empty_database_url) == [each.name for each in migrations()]
    connection = await asyncpg.connect(empty_database_url)
    assert await connection.fetchval("SELECT to_regclass('passage.half')") is None
    await connection.close()
