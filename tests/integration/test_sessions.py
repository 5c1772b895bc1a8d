"""What holds in every session, by whichever way it comes to the server."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from audit.log.tables import pool_of
from domain.humanitarian_parole.stages.filing import WithdrawalRequest
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmed, SponsorWithdrew
from domain.kernel.programme import ProgrammeSuspended
from eventstore.conflicts import ProgrammeConflict, StoreUnavailable
from eventstore.keys import DirectoryKeyStore
from eventstore.port import ReadAt
from eventstore.postgres.connections import SETTINGS, connect, prepare_logins, side_pool
from eventstore.postgres.store import PostgresStore
from stack.ports import choose_port
from tests.support.filings import NOON, file_case, message, open_programme, programme_summary
from tests.support.pgbouncer import LEFT_OUT, PROGRAM, pgbouncer

HOSTILE = {
    "default_transaction_isolation": "'repeatable read'",
    "search_path": "pg_temp, public, pg_catalog",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
GROUPS = ("passage_writer", "passage_auditor", "passage_sealer", "passage_eraser")
WORD = "not-a-secret"


def login_of(group: str) -> str:
    return f"{group}_login_{os.getpid()}"


@pytest.fixture
async def administrator(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """In a database whose own settings are as bad as they can be, with a login for each group."""
    connection = await asyncpg.connect(database_url)
    name = await connection.fetchval("SELECT quote_ident(current_database())")
    for setting, value in HOSTILE.items():
        await connection.execute(f"ALTER DATABASE {name} SET {setting} = {value}")
    for group in GROUPS:
        await connection.execute(f"CREATE ROLE {login_of(group)} LOGIN PASSWORD '{WORD}' IN ROLE {group}")
    yield connection
    for group in GROUPS:
        await connection.execute(f"DROP ROLE {login_of(group)}")
    await connection.close()


async def shown(connection: Any) -> dict[str, str]:
    return {name: await connection.fetchval("SELECT current_setting($1)", name) for name in (*SETTINGS, *HOSTILE)}


def assert_safe(settings: dict[str, str]) -> None:
    assert {name: settings[name] for name in SETTINGS} == SETTINGS
    assert "0" not in {settings[name] for name in HOSTILE if name.endswith("timeout")}


@pytest.mark.usefixtures("administrator")
async def test_they_hold_whatever_the_database_sets(database_url: str, tmp_path: Path) -> None:
    store = await PostgresStore.connect(database_url, DirectoryKeyStore(tmp_path), connections=2)
    async with store._pool.acquire() as writing, side_pool(database_url, "side", 1) as side, side.acquire() as pages:
        assert_safe(await shown(writing))
        assert_safe(await shown(pages))
    await store.close()
    sealing = await pool_of(database_url, "passage_sealer")
    async with sealing.acquire() as connection:
        assert_safe(await shown(connection))
    await sealing.close()
    reading = await connect(database_url, "reading", "passage_auditor")
    assert_safe(await shown(reading))
    await reading.close()


@pytest.mark.skipif(PROGRAM is None, reason=LEFT_OUT)
async def test_everything_works_through_a_pgbouncer_in_transaction_mode(
    database_url: str, administrator: asyncpg.Connection, tmp_path: Path
) -> None:
    """Sixteen clients at once share two connections, so that each transaction may come to another one."""
    logins = {login_of(group): WORD for group in GROUPS}
    async with pgbouncer(database_url, logins, choose_port(6432), servers=2) as address:
        urls = {group: f"postgresql://{login_of(group)}:{WORD}@{address}?pgbouncer=true" for group in GROUPS}
        with pytest.raises(StoreUnavailable, match="settings"):
            await connect(urls["passage_writer"], "early", "passage_writer")
        assert set(await prepare_logins(administrator)) >= set(logins)
        await administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY ($1)", list(logins)
        )
        await _work(urls["passage_writer"], DirectoryKeyStore(tmp_path / "keys"))
        for group in ("passage_auditor", "passage_sealer"):
            reading = await connect(urls[group], "reading", group)
            assert_safe(await shown(reading))
            await reading.close()
        with pytest.raises(StoreUnavailable):  # an auditor's login does not become the writer
            await connect(urls["passage_auditor"], "reading", "passage_writer")


async def _work(url: str, keys: DirectoryKeyStore) -> None:
    store = await PostgresStore.connect(url, keys, connections=16)
    programme = await open_programme(store)
    writers = await asyncio.gather(*(file_case(store) for _ in range(32)))
    await asyncio.gather(*(writer.append(SponsorConfirmed(at=NOON)) for writer in writers))
    said = [message(writer.stream, writer.stream, WithdrawalRequest()) for writer in writers]
    await asyncio.gather(*map(store.inbox.receive, said))
    suspended = programme_summary(status="suspended")
    await programme.append(ProgrammeSuspended(at=NOON), summary=suspended, notifies="all")
    for writer in writers:
        with pytest.raises(ProgrammeConflict):
            await writer.append(SponsorWithdrew(at=NOON), read_at=ReadAt(programme_version=1))
    streams = await asyncio.gather(*(store.load(writer.stream) for writer in writers))
    assert {stream.version for stream in streams} == {2}
    await store.close()
