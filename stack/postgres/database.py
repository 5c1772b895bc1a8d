"""The embedded Postgres as a service of the stack, the schema, and the login of the programs that write."""

import secrets
import signal
from pathlib import Path

import asyncpg

from process.bootstrap import migrate_database
from stack.errors import StackError
from stack.ports import HOST
from stack.postgres.server import EmbeddedPostgres, PostgresFailed
from stack.services import Launch

_DATABASE = "passage"
_WRITER = ("passage_app", "passage_writer")
_SEALER = ("passage_seal_app", "passage_sealer")
_TIMEOUT_S = 10


class PostgresService:
    """The embedded Postgres. The URLs hold once it is ready and migrated."""

    name = "postgres"
    stage = 0
    stop_signal = signal.SIGINT  # a fast shutdown: open sessions are ended, nothing committed is lost
    start_timeout_s = 60.0  # recovery after a kill replays at most a gigabyte of log
    stop_timeout_s = 30.0  # the last checkpoint

    def __init__(self, home: Path) -> None:
        self._home = home
        self._server = EmbeddedPostgres(home)
        self.owner_url = self.writer_url = self.sealer_url = ""

    def prepare(self) -> Launch:
        """Ready the directory and choose a port; the second time another one. Raises StackError."""
        self.release()
        self._server = EmbeddedPostgres(self._home)
        try:
            launch = self._server.prepare()
        except PostgresFailed as error:
            raise StackError(str(error)) from None
        return Launch(launch.argv, launch.env, (self._server.port,), Path("/"), launch.popen)

    async def ready(self) -> bool:
        """It answers and has a database of our own."""
        try:
            self.owner_url = await self._server.ensure_database(_DATABASE)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        return True

    async def migrate(self) -> None:
        """Bring the schema up to date and make the logins of the programs. Raises BootstrapFailed."""
        await migrate_database(self.owner_url)
        self.writer_url = await self._login(*_WRITER)
        self.sealer_url = await self._login(*_SEALER)

    async def _login(self, name: str, group: str) -> str:
        password = secrets.token_urlsafe(24)  # new at each start, known to the children alone
        await _ensure_login(self.owner_url, name, group, password)
        return f"postgresql://{name}:{password}@{HOST}:{self._server.port}/{_DATABASE}"

    def release(self) -> None:
        """Let another process have the directory; only when the server has ended."""
        self._server.release()


async def _ensure_login(owner_url: str, name: str, group: str, password: str) -> None:
    connection = await asyncpg.connect(owner_url, timeout=_TIMEOUT_S)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name):
            await connection.execute(f"CREATE ROLE {name} LOGIN IN ROLE {group}")
        # A role's password cannot be a parameter; this one holds only letters, digits, `-` and `_`.
        await connection.execute(f"ALTER ROLE {name} PASSWORD '{password}'")
    finally:
        await connection.close()
