"""Connections and their end, whatever became of the server; what holds in each session is set when it begins.

A URL with `?pgbouncer=true` leads to a PgBouncer in transaction mode. It forwards no startup parameter, so there the
settings are the login's own (`prepare_logins`), which is looked at once for each connection; and a connection prepares
no statements.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from eventstore.conflicts import StoreUnavailable
from eventstore.postgres.session import translated

CLOSE_TIMEOUT_S: Final = 10.0
"""What is under way ends in ms; a server that hangs must not keep a program from ending."""
CONNECT_TIMEOUT_S: Final = 10.0
ANSWER_TIMEOUT_S: Final = 5.0
"""The server ends a statement that takes too long; where it does not answer that, the driver ends it so much later."""

WRITING_S: Final = 15.0
"""The longest statement of a program that writes: far beyond any of them, and short enough to try again."""
READING_S: Final = 600.0
"""Of those who read the whole log."""

SETTINGS: Final = {
    "search_path": "pg_catalog, pg_temp",  # ours are named with their schema; nothing stands in for the catalog's
    "row_security": "off",  # a statement fails that a policy would show only a part of the rows
    "default_transaction_isolation": "read committed",  # checks under a lock must see what has committed
    "jit": "off",
}
_TIMEOUTS: Final = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
_POOLED: Final = ("pgbouncer", "true")

_LOGINS: Final = """
SELECT quote_ident(login.rolname) AS login, quote_ident(current_database()) AS database,
       bool_or(g.rolname IN ('passage_writer', 'passage_eraser')) AS writes
FROM pg_auth_members AS m JOIN pg_roles AS login ON login.oid = m.member JOIN pg_roles AS g ON g.oid = m.roleid
WHERE login.rolcanlogin AND NOT login.rolsuper
  AND g.rolname IN ('passage_writer', 'passage_reader', 'passage_auditor', 'passage_sealer', 'passage_eraser')
GROUP BY login.rolname
"""
_HOLDS: Final = """
SELECT pg_has_role($1, 'USAGE') AND NOT pg_has_role('passage_owner', 'USAGE')
       AND (SELECT bool_and(current_setting(name) = wanted) FROM unnest($2::text[], $3::text[]) AS s(name, wanted))
       AND (SELECT bool_and(current_setting(name) <> '0') FROM unnest($4::text[]) AS t(name))
"""


def session_settings(longest_s: float) -> dict[str, str]:
    """What holds in a session whose longest statement takes `longest_s`."""
    return {**SETTINGS, **dict.fromkeys(_TIMEOUTS, f"{longest_s:.0f}s")}


async def prepare_logins(connection: asyncpg.Connection) -> tuple[str, ...]:
    """Give the settings to every login that is a member of a role of ours; the logins.

    Raises:
        asyncpg.PostgresError: the administrator may not change one of them.
    """
    logins = await connection.fetch(_LOGINS)
    for row in logins:
        for name, value in session_settings(WRITING_S if row["writes"] else READING_S).items():
            # Names quoted by the server, and constants of ours: no parameter can stand here.
            whose = f"{row['login']} IN DATABASE {row['database']}"
            await connection.execute(f"ALTER ROLE {whose} SET {name} = {_written(value)}")
    return tuple(row["login"] for row in logins)


def _written(value: str) -> str:
    return value if "," in value else f"'{value}'"  # in quotes, a list would be one name


def is_pooled(database_url: str) -> bool:
    """Whether the URL leads to a PgBouncer."""
    return _POOLED in parse_qsl(urlsplit(database_url).query)


def _arguments(database_url: str, name: str, role: str, longest_s: float) -> dict[str, Any]:
    settings = {"application_name": name}
    parts = urlsplit(database_url)
    query = parse_qsl(parts.query)
    pooled = _POOLED in query
    if not pooled:
        settings |= {"role": role, **session_settings(longest_s)}
    return {
        "dsn": urlunsplit(parts._replace(query=urlencode([each for each in query if each != _POOLED]))),
        "timeout": CONNECT_TIMEOUT_S,
        "command_timeout": longest_s + ANSWER_TIMEOUT_S,
        "server_settings": settings,
        "statement_cache_size": 0 if pooled else 100,
    }


async def _check(connection: Any, role: str) -> None:
    held = await connection.fetchval(_HOLDS, role, list(SETTINGS), list(SETTINGS.values()), list(_TIMEOUTS))
    if not held:
        raise StoreUnavailable(f"the login lacks its settings, or is not a member of {role} alone: run the bootstrap")


async def connect(database_url: str, name: str, role: str, longest_s: float = READING_S) -> asyncpg.Connection:
    """One connection that acts as `role`; `name` is shown to administrators.

    Raises:
        StoreUnavailable: the server cannot be reached, or the login of a PgBouncer is not prepared.
    """
    with translated():
        connection: asyncpg.Connection = await asyncpg.connect(**_arguments(database_url, name, role, longest_s))
        if is_pooled(database_url):
            await _check(connection, role)
    return connection


async def open_pool(
    database_url: str, name: str, role: str, *, longest_s: float, connections: int, at_once: int = 1
) -> "asyncpg.Pool[asyncpg.Record]":
    """A pool of at most `connections`, `at_once` of them open from the start. Raises as `connect`."""

    async def check(connection: Any) -> None:
        await _check(connection, role)

    with translated():
        return await asyncpg.create_pool(
            **_arguments(database_url, name, role, longest_s),
            min_size=at_once,
            max_size=connections,
            init=check if is_pooled(database_url) else None,
            reset=_keep,
        )


async def _keep(_: Any) -> None:
    """Nothing of a session is ever changed, so giving it back to the pool needs no round trip."""


@asynccontextmanager
async def side_pool(database_url: str, name: str, connections: int) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """A small pool beside the store's; no message waits for it. Raises as `connect`."""
    pool = await open_pool(
        database_url, name, "passage_writer", longest_s=ANSWER_TIMEOUT_S, connections=connections, at_once=0
    )
    try:
        yield pool
    finally:
        await close_pool(pool)


async def close_pool(pool: "asyncpg.Pool[asyncpg.Record]", timeout_s: float = CLOSE_TIMEOUT_S) -> None:
    """Close it; what is under way has `timeout_s` to end, and a connection that hangs or is broken is let go."""
    try:
        await asyncio.wait_for(pool.close(), timeout_s)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        pool.terminate()
