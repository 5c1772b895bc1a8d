"""Brings a database to the current schema: plain SQL files, in order, each once, each with its checksum."""

import hashlib
from dataclasses import dataclass
from importlib import resources

import asyncpg

_LOCK = 0x70617373
"""Advisory lock of a migration under way ("pass"), apart from the store's own two-key locks."""

_LEDGER = """
CREATE SCHEMA IF NOT EXISTS passage;
CREATE TABLE IF NOT EXISTS passage.schema_migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
"""


class MigrationError(Exception):
    """The schema and the files do not belong together; the message says which file and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file `NNNN_name.sql`; `checksum` is the SHA-256 of its bytes, in hex."""

    number: int
    name: str
    sql: str
    checksum: str


def migrations() -> tuple[Migration, ...]:
    """The files of `sql`, by number, without a gap."""
    folder = resources.files("eventstore") / "postgres" / "sql"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    found = tuple(_read(name, (folder / name).read_bytes()) for name in names)
    if [each.number for each in found] != list(range(1, len(found) + 1)):
        raise MigrationError(f"migrations must be numbered 1 to {len(found)} without gap or double: {names}")
    return found


def _read(name: str, content: bytes) -> Migration:
    return Migration(
        number=int(name.split("_", 1)[0]),
        name=name.removesuffix(".sql"),
        sql=content.decode(),
        checksum=hashlib.sha256(content).hexdigest(),
    )


async def migrate(database_url: str, files: tuple[Migration, ...] | None = None) -> tuple[str, ...]:
    """Apply what is missing, each file in a transaction of its own, and return the names applied.

    The login must be a superuser or a member of `passage_owner` that may create roles and schemas. Safe to run from
    several processes at once: they wait for one another.

    Raises:
        MigrationError: an applied file was changed since, or the database is newer than these files.
    """
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(_LEDGER)
        return await _apply(connection, migrations() if files is None else files)
    finally:
        await connection.close()


async def _apply(connection: asyncpg.Connection, files: tuple[Migration, ...]) -> tuple[str, ...]:
    applied = {row["number"]: row for row in await connection.fetch("SELECT * FROM passage.schema_migration")}
    _compare({number: (row["name"], row["checksum"]) for number, row in applied.items()}, files)
    missing = [each for each in files if each.number not in applied]
    for each in missing:
        async with connection.transaction():
            await connection.execute(each.sql)
            await connection.execute("RESET ROLE")
            await connection.execute(
                "INSERT INTO passage.schema_migration (number, name, checksum) VALUES ($1, $2, $3)",
                each.number,
                each.name,
                each.checksum,
            )
    return tuple(each.name for each in missing)


def _compare(applied: dict[int, tuple[str, str]], files: tuple[Migration, ...]) -> None:
    known = {each.number: each for each in files}
    for number, (name, checksum) in sorted(applied.items()):
        if number not in known:
            raise MigrationError(f"the database has migration {name}, which this version does not know: upgrade first")
        if known[number].checksum != checksum:
            raise MigrationError(
                f"migration {name} was changed after it was applied: restore the file and add a new migration instead"
            )
