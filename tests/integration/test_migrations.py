"""The schema is its baseline and the migrations after it: each once, in order, and never changed afterwards."""

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
    changed = tuple(replace(each, checksum="0" * 64) if each.number == 1 else each for each in migrations())
    with pytest.raises(MigrationError, match=r"baseline was changed.*add a new migration"):
        await migrate(empty_database_url, changed)


async def test_an_older_program_refuses_a_newer_database(empty_database_url: str) -> None:
    number = migrations()[-1].number + 1
    await migrate(empty_database_url, (*migrations(), Migration(number, "later", "SELECT 1", "00")))
    with pytest.raises(MigrationError, match=r"later, which this version does not know: upgrade"):
        await migrate(empty_database_url)


async def test_a_database_made_before_the_baseline_is_refused_in_one_line(empty_database_url: str) -> None:
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute(
        "CREATE SCHEMA passage; CREATE TABLE passage.schema_migration (number integer PRIMARY KEY, name text NOT NULL,"
        " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
        "INSERT INTO passage.schema_migration VALUES (1, '0001_tables', '5f'), (2, '0002_bells', '60')"
    )
    with pytest.raises(
        MigrationError, match=r"made by an earlier version \(its first migration is 0001_tables\)"
    ) as no:
        await migrate(empty_database_url)
    assert "\n" not in str(no.value)
    assert await connection.fetchval("SELECT to_regclass('passage.events')") is None
    await connection.close()


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
