"""A real PgBouncer in transaction mode, before the test server."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
LEFT_OUT = "no pgbouncer: what is left out is that every program works through one (apt-get install pgbouncer)"
_INI = """
[databases]
{database} = host={host} port={port} dbname={database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {servers}
logfile =
pidfile =
"""


@asynccontextmanager
async def pgbouncer(database_url: str, logins: dict[str, str], own_port: int, servers: int) -> AsyncIterator[str]:
    """Its address, for clients of these logins and passwords; they share `servers` connections."""
    assert PROGRAM is not None
    parts = urlsplit(database_url)
    with tempfile.TemporaryDirectory(prefix="passage-pgbouncer-") as folder:
        Path(folder).chmod(0o755)  # it refuses to run as root
        database = parts.path.lstrip("/")
        written = _INI.format(
            database=database, host=parts.hostname, port=parts.port, own_port=own_port, folder=folder, servers=servers
        )
        Path(folder, "pgbouncer.ini").write_text(written)
        Path(folder, "users").write_text("".join(f'"{name}" "{word}"\n' for name, word in logins.items()))
        as_whom = ("-u", "nobody") if os.geteuid() == 0 else ()
        process = await asyncio.create_subprocess_exec(
            PROGRAM, "-q", *as_whom, f"{folder}/pgbouncer.ini", stderr=asyncio.subprocess.DEVNULL
        )
        try:
            address = f"127.0.0.1:{own_port}/{database}"
            name, word = next(iter(logins.items()))
            await _answers(f"postgresql://{name}:{word}@{address}")
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _answers(url: str) -> None:
    for _ in range(100):
        try:
            connection = await asyncpg.connect(url, statement_cache_size=0)
        except (OSError, asyncpg.PostgresError):
            await asyncio.sleep(0.05)
        else:
            await connection.close()
            return
    raise AssertionError("pgbouncer does not answer")
