"""Brings a database to the current schema: the baseline as one version, then plain SQL files, each once."""

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Final

import asyncpg

from eventstore.postgres.connections import prepare_logins

_LOCK = 0x70617373
"""Advisory lock of a migration under way ("pass"), apart from the store's own two-key locks."""

BASELINE: Final = "baseline"
_SUBJECTS: Final = (
    "roles", "events", "programmes", "cases", "persons", "places", "place_changes", "inbox", "notices", "calls",
    "append", "world", "access", "documents", "erasure", "seal", "gateway", "staff", "grants",
)  # fmt: skip
"""The files of the baseline, in the order in which they are applied."""

_LEDGER = """
CREATE SCHEMA IF NOT EXISTS passage;
CREATE TABLE IF NOT EXISTS passage.schema_migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
"""


_LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '5s'"
"""Appends wait behind a migration that waits for their table: no longer than a caller tries again."""


class MigrationError(Exception):
    """The schema and the files do not belong together; the message says which file and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """The baseline, or one later file `NNNN_name.sql`; `checksum` is the SHA-256 of its bytes, in hex."""

    number: int
    name: str
    sql: str
    checksum: str


def migrations() -> tuple[Migration, ...]:
    """The baseline as number 1, and the files of `sql` with a number, which follow it without a gap."""
    folder = resources.files("eventstore") / "postgres" / "sql"
    baseline = b"\n".join((folder / f"{subject}.sql").read_bytes() for subject in _SUBJECTS)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name[:4].isdigit())
    later = (_migration(int(name[:4]), name.removesuffix(".sql"), (folder / name).read_bytes()) for name in names)
    found = (_migration(1, BASELINE, baseline), *later)
    if [each.number for each in found] != list(range(1, len(found) + 1)):
        raise MigrationError(f"migrations after the baseline must be numbered from 2 without gap or double: {names}")
    return found


def _migration(number: int, name: str, content: bytes) -> Migration:
    return Migration(number, name, content.decode(), hashlib.sha256(content).hexdigest())


async def migrate(database_url: str, files: tuple[Migration, ...] | None = None) -> tuple[str, ...]:
    """Apply what is missing, each file in a transaction of its own, and return the names applied.

    Every login of a role of ours then gets the settings of its sessions. The URL's own login must be a superuser, or a
    member of `passage_owner` that may create roles and schemas, and not lead through a PgBouncer. Safe to run from
    several processes at once: they wait for one another.

    Raises:
        MigrationError: an applied file was changed since, the database is newer than these files, or older than the
            baseline; or a table was in use.
    """
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(_LEDGER)
        applied = await _apply(connection, migrations() if files is None else files)
        await prepare_logins(connection)
        return applied
    finally:
        await connection.close()


async def _apply(connection: asyncpg.Connection, files: tuple[Migration, ...]) -> tuple[str, ...]:
    applied = {row["number"]: row for row in await connection.fetch("SELECT * FROM passage.schema_migration")}
    _compare({number: (row["name"], row["checksum"]) for number, row in applied.items()}, files)
    missing = [each for each in files if each.number not in applied]
    for each in missing:
        async with connection.transaction():
            await connection.execute(_LOCK_TIMEOUT)
            await _execute(connection, each)
            await connection.execute("RESET ROLE")
            await connection.execute(
                "INSERT INTO passage.schema_migration (number, name, checksum) VALUES ($1, $2, $3)",
                each.number,
                each.name,
                each.checksum,
            )
    return tuple(each.name for each in missing)


async def _execute(connection: asyncpg.Connection, migration: Migration) -> None:
    try:
        await connection.execute(migration.sql)
    except asyncpg.LockNotAvailableError:
        raise MigrationError(
            f"migration {migration.name} found a table in use for five seconds, and changed nothing: run it again"
        ) from None


def _compare(applied: dict[int, tuple[str, str]], files: tuple[Migration, ...]) -> None:
    known = {each.number: each for each in files}
    if 1 in applied and applied[1][0] != BASELINE:
        raise MigrationError(
            f"the database was made by an earlier version (its first migration is {applied[1][0]}), which cannot be "
            "carried over: keep it with the version that made it, and give this one an empty database"
        )
    for number, (name, checksum) in sorted(applied.items()):
        if number not in known:
            raise MigrationError(f"the database has migration {name}, which this version does not know: upgrade first")
        if known[number].checksum != checksum:
            raise MigrationError(
                f"migration {name} was changed after it was applied: restore the file and add a new migration instead"
            )
