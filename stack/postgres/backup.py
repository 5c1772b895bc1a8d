"""A throwaway server on a copy of a data directory, so that a backup is read without any login of its own.

The copy is what is changed: the server's own settings and access rules do not apply to it, and a role of ours reads it.
What the backup was taken from, and the backup itself, are left as they are.
"""

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import asyncpg

from stack.postgres.files import (
    PostgresFailed,
    RunAs,
    binaries,
    make_binaries_runnable,
    make_reachable,
    run_as,
    server_environment,
)

_READER: Final = "passage_backup_reader"
_RECOVERY_TIMEOUT_S: Final = 3600
"""A base backup replays the write-ahead log that came with it; for a large one that takes a while."""
_LEFT_BEHIND: Final = ("postmaster.pid", "standby.signal", "recovery.signal", "postgresql.auto.conf")
"""Files that tell of the server that the directory came from."""
_SETTINGS: Final = {
    "listen_addresses": "",
    "port": "5432",  # of the socket's name only
    "default_transaction_read_only": "on",
    "archive_mode": "off",
    "max_connections": "20",
    "shared_buffers": "128MB",
    "jit": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "autovacuum": "off",
}


@contextlib.asynccontextmanager
async def opened_backup(directory: Path, database: str | None = None) -> AsyncIterator[str]:
    """The URL of a database of the backup, served from a copy of `directory`, which is gone afterwards.

    `database` None: the only one that has the schema `passage`.

    Raises:
        PostgresFailed: it is no data directory of this version of Postgres, or cannot be started.
    """
    _check(directory)
    with tempfile.TemporaryDirectory(prefix="passage-backup-", ignore_cleanup_errors=True) as home:
        user, data = run_as(), Path(home) / "data"
        await asyncio.to_thread(_copy, directory, data, user)
        await asyncio.to_thread(_add_reader, data, user)
        server = await asyncio.to_thread(_start, Path(home), data, user)
        try:
            await _wait(server, home)
            yield _url(home, database or await _database_of(home))
        finally:
            server.terminate()
            await asyncio.to_thread(server.wait)


def _check(directory: Path) -> None:
    try:
        version = (directory / "PG_VERSION").read_text().strip()
        tablespaces = any((directory / "pg_tblspc").iterdir())
    except OSError:
        raise PostgresFailed(f"{directory} is no data directory of Postgres") from None
    said = subprocess.run([str(binaries() / "postgres"), "--version"], capture_output=True, text=True, check=False)
    ours = said.stdout.rpartition(" ")[2].split(".")[0].strip()
    if version != ours:
        raise PostgresFailed(f"the backup is of Postgres {version}, and the embedded server is {ours}")
    if tablespaces:
        raise PostgresFailed("the backup has tablespaces: restore it and verify the server")


def _copy(directory: Path, data: Path, user: RunAs) -> None:
    make_binaries_runnable(user)
    shutil.copytree(directory, data, symlinks=True)
    for name in _LEFT_BEHIND:
        (data / name).unlink(missing_ok=True)
    (data / "postgresql.conf").write_text("")
    (data / "pg_hba.conf").write_text("local all all trust\n")
    (data / "pg_ident.conf").write_text("")
    data.chmod(0o700)
    make_reachable(data, user)
    for path in (data.parent, data, *data.rglob("*")):
        if not path.is_symlink():
            user.own(path)


def _command(data: Path, *options: str) -> list[str]:
    return [str(binaries() / "postgres"), *options, "-D", str(data)]


def _add_reader(data: Path, user: RunAs) -> None:
    """Recover the copy in single-user mode, which asks for no login, and give it a role that we may be."""
    done = subprocess.run(  # type: ignore[call-overload]  # the user's arguments come as a mapping
        [*_command(data, "--single"), "template1"],
        input=f"CREATE ROLE {_READER} LOGIN SUPERUSER\n".encode(),
        capture_output=True,
        timeout=_RECOVERY_TIMEOUT_S,
        check=False,
        cwd="/",
        env=server_environment(),
        **user.popen(),
    )
    if done.returncode != 0:
        raise PostgresFailed("the backup cannot be recovered: is it complete, and was its server stopped?")


def _start(home: Path, data: Path, user: RunAs) -> "subprocess.Popen[bytes]":
    settings = _SETTINGS | {"unix_socket_directories": str(home)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (home / "log").open("wb") as log:
        started: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]  # as above
            _command(data) + options, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
            env=server_environment(), start_new_session=True, **user.popen(),
        )  # fmt: skip
    return started


def _url(home: str, database: str) -> str:
    return f"postgresql://{_READER}@/{database}?host={home}"


async def _wait(server: "subprocess.Popen[bytes]", home: str) -> None:
    for _ in range(_RECOVERY_TIMEOUT_S * 10):
        try:
            connection = await asyncpg.connect(_url(home, "template1"), timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            if server.poll() is not None:
                raise PostgresFailed("the server on the copy of the backup ended at its start") from None
            await asyncio.sleep(0.1)
        else:
            await connection.close()
            return
    raise PostgresFailed("the server on the copy of the backup did not answer")


async def _database_of(home: str) -> str:
    found = []
    connection = await asyncpg.connect(_url(home, "template1"))
    names = await connection.fetch("SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate")
    await connection.close()
    for (name,) in names:
        connection = await asyncpg.connect(_url(home, name))
        if await connection.fetchval("SELECT to_regclass('passage.events') IS NOT NULL"):
            found.append(name)
        await connection.close()
    if len(found) != 1:
        raise PostgresFailed(f"name the database to verify: {len(found)} of the backup have a log")
    return str(found[0])
