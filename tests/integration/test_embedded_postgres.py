"""The embedded server: durable, alone on its directory, and started again whatever happened to the last one."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from stack.postgres.server import EmbeddedPostgres, PostgresFailed

CANARY = "Rojas Pérez"


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="passage home ", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "with a space" / "postgres"


async def execute(server: EmbeddedPostgres, statement: str) -> object:
    connection = await asyncpg.connect(server.url())
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_what_was_committed_survives_a_kill(home: Path) -> None:
    async with EmbeddedPostgres(home) as server:
        await execute(server, "CREATE TABLE kept AS SELECT 7 AS value")
        os.kill(server.pid, signal.SIGKILL)
    async with EmbeddedPostgres(home) as server:
        assert await execute(server, "SELECT value FROM kept") == 7
        assert await execute(server, "SHOW fsync") == "on"


async def test_a_server_whose_owner_was_killed_is_ended_by_the_next(home: Path) -> None:
    start = (
        "import asyncio, os, sys; from pathlib import Path; from stack.postgres.server import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1]), fsync=False); asyncio.run(server.start())\n"
        "print(server.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", start, str(home)], capture_output=True, check=False)
    orphan = int(killed.stdout)
    os.kill(orphan, 0)
    async with EmbeddedPostgres(home, fsync=False) as server:
        assert server.pid != orphan
        assert await execute(server, "SELECT 1") == 1


async def test_a_stale_pid_file_that_names_a_living_stranger_does_not_stop_it(home: Path) -> None:
    async with EmbeddedPostgres(home, fsync=False) as server:
        pid_file = home / "data" / "postmaster.pid"
        stale = pid_file.read_text().replace(str(server.pid), str(os.getpid()), 1)
    pid_file.write_text(stale)
    async with EmbeddedPostgres(home, fsync=False) as server:
        assert await execute(server, "SELECT 1") == 1


async def test_two_stacks_do_not_share_a_directory(home: Path) -> None:
    async with EmbeddedPostgres(home, fsync=False) as server:
        with pytest.raises(PostgresFailed, match=f"in use by process {os.getpid()}"):
            await EmbeddedPostgres(home, fsync=False).start()
        assert await execute(server, "SELECT 1") == 1


async def test_a_half_made_directory_is_made_again(home: Path) -> None:
    (home / "data.new.abandoned").mkdir(parents=True)
    async with EmbeddedPostgres(home, fsync=False) as server:
        assert await execute(server, "SHOW server_encoding") == "UTF8"
        assert await execute(server, "SELECT datlocale FROM pg_database WHERE datname = 'postgres'") == "C.UTF-8"


async def test_a_start_that_fails_says_why_in_one_line(home: Path) -> None:
    async with EmbeddedPostgres(home, fsync=False) as server:
        other = EmbeddedPostgres(home.parent / "other", port=server.port, fsync=False)
        with pytest.raises(PostgresFailed, match=r"ended at start: could not create any TCP/IP sockets") as refused:
            await other.start()
    assert "\n" not in str(refused.value)
    (home / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresFailed, match=r"ended at start: database files are incompatible with server"):
        await EmbeddedPostgres(home, fsync=False).start()


async def test_it_listens_on_this_machine_only_and_asks_for_the_password(home: Path) -> None:
    async with EmbeddedPostgres(home, fsync=False) as server:
        assert await execute(server, "SHOW listen_addresses") == "127.0.0.1"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(f"postgresql://postgres:guess@127.0.0.1:{server.port}/postgres")


async def test_no_value_of_a_row_reaches_the_log(home: Path) -> None:
    async with EmbeddedPostgres(home, fsync=False) as server:
        connection = await asyncpg.connect(server.url())
        await connection.execute("CREATE TABLE person (name text PRIMARY KEY, age int CHECK (age > 0))")
        await connection.execute("INSERT INTO person VALUES ($1, 1)", CANARY)
        for statement, error in (
            ("INSERT INTO person VALUES ($1, 2)", asyncpg.UniqueViolationError),
            ("INSERT INTO person VALUES ($1 || 'x', -1)", asyncpg.CheckViolationError),
            ("INSERT INTO person VALUES ('" + CANARY + "', 2), ($1, 2)", asyncpg.UniqueViolationError),  # constants
        ):
            with pytest.raises(error):
                await connection.execute(statement, CANARY)
        await connection.close()
    assert CANARY not in (home / "log").read_text()


async def test_only_the_servers_user_can_read_the_data_and_only_we_the_password(home: Path) -> None:
    async with EmbeddedPostgres(home, fsync=False):
        assert (home / "data").stat().st_mode & 0o077 == 0
        assert (home / "password").stat().st_mode & 0o077 == 0
        assert (home / "password").stat().st_uid == os.geteuid()


async def test_a_stop_ends_the_server_and_frees_the_directory(home: Path) -> None:
    server = EmbeddedPostgres(home, fsync=False)
    await server.start()
    pid, began = server.pid, time.monotonic()
    await server.stop()
    assert time.monotonic() - began < 10
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
