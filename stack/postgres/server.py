"""An embedded Postgres (decision 13): durable, on 127.0.0.1 only, under a directory of ours, from a package.

    home/data       the data directory
    home/password   the superuser's, readable by us only
    home/log        what the server said
    home/lock       held by the process that runs it

The wheel's own lifecycle is not used: on a new data directory it ends every postgres whose command line contains
the path, and it stops the server only at the interpreter's exit.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import asyncpg
import psutil

from stack.postgres.files import (
    SUPERUSER,
    PostgresFailed,
    RunAs,
    binaries,
    initialise,
    make_binaries_runnable,
    make_reachable,
    run_as,
    server_environment,
)

__all__ = ["EmbeddedPostgres", "Launch", "PostgresFailed"]

_ORPHAN_TIMEOUT_S = 30
"""A fast shutdown writes a checkpoint; half a minute is ample for the embedded stack's sizes."""

_READY_TIMEOUT_S = 60
"""Recovery after a kill replays at most `max_wal_size`."""

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may not be longer than 107 bytes, ours may
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # No value of any row reaches the log (decision 8).
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start the server process; `popen` are further arguments of `subprocess` (the user to run as)."""

    argv: tuple[str, ...]
    env: dict[str, str]
    popen: dict[str, object]
    log: Path


class EmbeddedPostgres:
    """One server on one directory. `async with` starts and stops it; a supervisor uses `prepare` and `wait_ready`.

    Args:
        home: its directory, made if missing.
        port: on 127.0.0.1; None: a free one.
        fsync: False loses data at a power cut (not at a kill) and is for tests and `simulate`.
    """

    def __init__(self, home: Path, port: int | None = None, *, fsync: bool = True) -> None:
        self.home = home.absolute()
        self.port = port or 0
        self._fsync = fsync
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """The superuser's URL; it holds the password, so it belongs into no log."""
        password = (self.home / "password").read_text()
        return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """Of the server that `start` spawned."""
        if self._process is None:
            raise PostgresFailed("this server was not started here")
        return self._process.pid

    def prepare(self) -> Launch:
        """Make the directory ready and say how to start the server. Blocks for about a second the first time.

        Ends a server that an earlier process of ours left behind, and that one only.

        Raises:
            PostgresFailed: another live process runs it, or the directory cannot be used.
        """
        user = run_as()
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            if user.uid is not None:
                make_reachable(self.home / "data", user)
            self._take_lock()
            make_binaries_runnable(user)
            initialise(self.home, user, sync=self._fsync)
            self._end_orphan()
        except OSError as error:
            self.release()
            raise PostgresFailed(f"cannot use {self.home} for Postgres: {error.strerror}") from None
        except PostgresFailed:
            self.release()
            raise
        self.port = self.port or _free_port()
        return self._launch(user)

    def _launch(self, user: RunAs) -> Launch:
        settings = _SETTINGS | {"port": str(self.port)} | ({} if self._fsync else _NOT_DURABLE)
        argv = [str(binaries() / "postgres"), "-D", str(self.home / "data")]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        return Launch(tuple(argv), server_environment(), user.popen(), self.home / "log")

    def _take_lock(self) -> None:
        lock = (self.home / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise PostgresFailed(f"{self.home} is in use by process {holder}") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def end_left_behind(self) -> None:
        """End the server that a killed process of ours left running in this directory, and that one only. Blocks.

        Raises:
            PostgresFailed: another live process runs it, or it does not end.
        """
        self._take_lock()
        try:
            self._end_orphan()
        finally:
            self.release()

    def _end_orphan(self) -> None:
        data = self.home / "data"
        pid_file = data / "postmaster.pid"
        # We hold the lock, so whatever still runs here belongs to nobody.
        running = _servers_in(data)
        for process in running:
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.ppid() not in {other.pid for other in running}:  # the server; its sessions end with it
                    process.send_signal(signal.SIGINT)
        _, alive = psutil.wait_procs(_servers_in(data), timeout=_ORPHAN_TIMEOUT_S)
        if alive:
            raise PostgresFailed(f"process {alive[0].pid} of an earlier Postgres in {data} does not end")
        # A number of a dead server that another program has now would make Postgres refuse to start.
        pid_file.unlink(missing_ok=True)

    async def wait_ready(self) -> None:
        """Until the server answers.

        Raises:
            PostgresFailed: it ended or did not answer in time; the last line of its log is in the message.
        """
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while True:
            try:
                connection = await asyncpg.connect(self.url(), timeout=5)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                ended = self._process is not None and self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    why = "ended" if ended else "did not answer"
                    raise PostgresFailed(f"Postgres {why} at start: {_last_line(self.home / 'log')}") from None
                await asyncio.sleep(0.05)
            else:
                await connection.close()
                return

    async def ensure_database(self, name: str) -> str:
        """Create the database if it is missing; its URL."""
        connection = await asyncpg.connect(self.url(), timeout=10)
        try:
            if not await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", name):
                await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
        return self.url(name)

    async def start(self) -> None:
        """Prepare, spawn and wait until it answers."""
        launch = await asyncio.to_thread(self.prepare)
        with launch.log.open("ab") as log:
            self._process = subprocess.Popen(  # type: ignore[call-overload]  # the user's arguments come as a mapping
                launch.argv, env=launch.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                start_new_session=True, **launch.popen,
            )  # fmt: skip
        try:
            await self.wait_ready()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """A fast shutdown, then an immediate one after 30 s: both lose nothing that was committed."""
        process, self._process = self._process, None
        if process is not None:
            for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                process.send_signal(how)
                try:
                    await asyncio.to_thread(process.wait, _ORPHAN_TIMEOUT_S)
                    break
                except subprocess.TimeoutExpired:
                    continue
        self.release()

    def release(self) -> None:
        """Give the directory free again; for a supervisor whose server has ended."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _servers_in(data: Path) -> list[psutil.Process]:
    """Every postgres process whose working directory is `data`: a server always stands in its data directory."""
    return [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] == "postgres" and process.info["cwd"] == str(data.resolve())
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _last_line(log: Path) -> str:
    """What the server said last, without time and process, its reason before anything else."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    telling = [line for line in lines[-30:] if "FATAL:" in line or "PANIC:" in line]
    return (telling or lines or ["it said nothing"])[-1].split("FATAL: ")[-1].split("PANIC: ")[-1].strip()
