"""What no role of the application can do to the log, nor its owner by mistake."""

from pathlib import Path

import asyncpg
import pytest

from eventstore.keys import DirectoryKeyStore
from eventstore.postgres.store import PostgresStore
from tests.support.filings import file_case

pytestmark = pytest.mark.usefixtures("filed_case")

CHANGES = [
    "UPDATE passage.events SET actor = 'somebody'",
    "UPDATE passage.events SET actor = 'somebody' WHERE false",
    "DELETE FROM passage.events",
    "TRUNCATE passage.events",
    "TRUNCATE passage.events CASCADE",
]


@pytest.fixture
async def filed_case(database_url: str, tmp_path: Path) -> str:
    store = await PostgresStore.connect(database_url, DirectoryKeyStore(tmp_path / "keys"))
    writer = await file_case(store)
    await store.close()
    return writer.stream


async def attempt(database_url: str, *statements: str, role: str) -> None:
    connection = await asyncpg.connect(database_url, server_settings={"role": role})
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("change", CHANGES)
async def test_the_owner_and_a_superuser_are_refused_too(database_url: str, change: str) -> None:
    for role in ("passage_owner", "postgres"):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await attempt(database_url, change, role=role)


async def test_replication_role_does_not_silence_the_refusal(database_url: str) -> None:
    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await attempt(database_url, "SET session_replication_role = replica", CHANGES[2], role="postgres")


@pytest.mark.parametrize("role", ["passage_writer", "passage_reader", "passage_auditor"])
@pytest.mark.parametrize(
    "change",
    [
        *CHANGES,
        "INSERT INTO passage.events SELECT * FROM passage.events",
        "UPDATE passage.case_head SET version = 1",
        "DELETE FROM passage.unsealed",
        "DROP TRIGGER append_only ON passage.events",
        "ALTER TABLE passage.events DISABLE TRIGGER ALL",
        "DROP TABLE passage.events",
        "CREATE TABLE passage.mine (x int)",
        "DELETE FROM passage.inbox",
        "UPDATE passage.place_counter SET taken = 0",
        "SELECT passage.count_places('venezuela-air', 'air', '2022-10', -1)",
        "SELECT passage.change_place('venezuela-air', 'x', ROW('allot', 'air', 1, '2022-10', NULL, NULL))",
        "SELECT passage.notify_cases('k', ARRAY['x'], now())",
    ],
)
async def test_no_role_of_the_application_writes_past_the_functions(database_url: str, role: str, change: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await attempt(database_url, change, role=role)


@pytest.mark.parametrize("role", ["passage_reader", "passage_auditor"])
async def test_readers_read_and_cannot_append(database_url: str, role: str) -> None:
    await attempt(database_url, "SELECT * FROM passage.events", "SELECT * FROM passage.case_head", role=role)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await attempt(database_url, "SELECT passage.mark_call('r', true)", role=role)
    for hashes in ("person_key", "case_person", "supporter_key"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await attempt(database_url, "SELECT * FROM passage." + hashes, role=role)  # constants


async def test_nobody_can_log_in_as_a_role_of_the_schema(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    logins = await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'passage\\_%' AND rolcanlogin")
    await connection.close()
    assert logins == 0
