"""What an auditor's or an eraser's login cannot write, by whichever of the functions that it is granted."""

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from domain.access import CaseExported, PersonalDataViewed, access_stream
from domain.kernel.ids import CommandId
from domain.kernel.proof import Proof
from eventstore.access import AccessRecord, wrap_access
from eventstore.format.codec import CODEC
from eventstore.format.envelope import NO_HASH, Envelope, leaf_hash, machine_clock
from eventstore.keys import DirectoryKeyStore
from eventstore.postgres.access import _VIEWS, _values
from eventstore.postgres.store import PostgresStore
from tests.support.filings import NOON, PROGRAMME, file_case, new_case_id, open_programme

CASE = new_case_id()
VIEWED = PersonalDataViewed(at=NOON, case=CASE, because="complaint", case_version=3)
EXPORTED = CaseExported(at=NOON, case=CASE, because="appeal", case_version=3, archive_sha256="ab" * 32)


@pytest.fixture
async def store(database_url: str, tmp_path: Path) -> AsyncIterator[PostgresStore]:
    opened = await PostgresStore.connect(database_url, DirectoryKeyStore(tmp_path / "keys"))
    await open_programme(opened)
    yield opened
    await opened.close()


@pytest.fixture
async def auditor(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url, server_settings={"role": "passage_auditor"})
    yield connection
    await connection.close()


async def write(connection: asyncpg.Connection, changed: dict[str, Any], row: dict[str, Any]) -> None:
    """Record a view as the auditor's own program does, but for what is `changed`; the hashes are made to fit."""
    by = Proof("operator", "a-1", "auditor")
    record = AccessRecord(programme=PROGRAMME, command_id=CommandId("view:1"), proof=by, events=(VIEWED,))
    async with connection.transaction():
        head = await connection.fetchrow("SELECT * FROM passage.lock_access($1)", PROGRAMME)
        [honest] = wrap_access(record, 0, NO_HASH, machine_clock(), CODEC)
        forged: Envelope = honest._replace(**row)
        forged = forged._replace(hash=leaf_hash(forged.header))
        await connection.execute(*_VIEWS(**{**_values(record, (forged,), head), **changed}))


POISON: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "another type": ({}, {"type": "BoardingChecked", "public_body": b'{"case":"VEN-1","answer":"ok"}'}),
    "a type of no kind": ({}, {"type": "Nonsense"}),
    "a decision": ({}, {"type": "TravelAuthorized"}),
    "a body that is no JSON": ({}, {"public_body": b"\xff"}),
    "a body with more in it": (
        {},
        {"public_body": b'{"case":"VEN-7Q4K-M2XS","because":"x","case_version":1,"name":"Ana"}'},
    ),
    "a reason that is a sentence": (
        {},
        {"public_body": b'{"case":"VEN-7Q4K-M2XS","because":"Ana Rojas","case_version":1}'},
    ),
    "another header": ({}, {"header": b"{}"}),
    "a header of another actor": ({"actor": "auditor:a-2"}, {}),
    "a partner's proof": ({"proof": "key:border:5f3a"}, {}),
    "the clock's proof": ({"proof": "clock"}, {}),
    "a command id of the relay": ({"command_id": "boarding-checks:1"}, {}),
    "another day": ({"recorded_at": NOON}, {}),
    "a later version": ({"expected": 7}, {}),
}


@pytest.mark.parametrize("name", POISON)
async def test_an_auditor_cannot_poison_the_log(name: str, store: PostgresStore, auditor: asyncpg.Connection) -> None:
    changed, row = POISON[name]
    with pytest.raises(asyncpg.PostgresError):
        await write(auditor, changed, row)
    assert (await store.load(access_stream(PROGRAMME))).version == 0
    await write(auditor, {}, {})
    assert [each.event for each in (await store.load(access_stream(PROGRAMME))).events] == [VIEWED]


async def test_an_auditor_makes_no_stream_of_its_own(auditor: asyncpg.Connection, store: PostgresStore) -> None:
    assert store is not None
    with pytest.raises(asyncpg.PostgresError, match="no such programme"):
        await auditor.execute("SELECT passage.lock_access('nowhere')")


async def test_an_eraser_deletes_nothing_without_the_event_and_appends_nothing_else(
    store: PostgresStore, database_url: str
) -> None:
    case = await file_case(store)
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE passage.case_head SET closed = true")
    eraser = await asyncpg.connect(database_url, server_settings={"role": "passage_eraser"})
    granted = await eraser.fetch(
        "SELECT proname FROM pg_proc "
        "WHERE pronamespace = 'passage'::regnamespace AND has_function_privilege(oid, 'EXECUTE')"
    )
    assert {row[0] for row in granted} == {
        "erase_case", "record_holds", "lock_access", "access_result", "staff_reference", "forget_staff"
    }  # fmt: skip
    for table in ("document", "case_person", "supporter_key", "legal_hold", "case_head", "events"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await eraser.execute(f"DELETE FROM passage.{table}")  # constants
    before = await owner.fetchval("SELECT count(*) FROM passage.case_person")
    with suppress(asyncpg.PostgresError):
        await eraser.execute(
            "SELECT passage.erase_case($1, $2, 'c', 1, $3, now(), 'a', 'none', sha256('x'), 1::smallint, now(), '{}', "
            "'{}', sha256('\\x00'::bytea || '{}'))",
            case.stream, PROGRAMME, case.hash,
        )  # fmt: skip
    assert await owner.fetchval("SELECT count(*) FROM passage.case_person") == before
    assert (await store.load(case.stream)).version == 1
    await eraser.close()
    await owner.close()
