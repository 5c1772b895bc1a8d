"""Attacks on the histories that are kept with the log, as database superuser with triggers off."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from audit.verify.faults import Code
from domain.access import HistoryStored
from domain.kernel.ids import CommandId
from domain.kernel.proof import CLOCK
from eventstore.access import AccessRecord
from eventstore.format.histories import pack
from tests.support.filed import FILED_AT
from tests.support.filings import PROGRAMME
from tests.support.sealed_log import SealedLog, case, three_cases

RUNS = ("run-1", "run-2")


@pytest.fixture
async def log(database_url: str, tmp_path: Path) -> AsyncIterator[SealedLog]:
    """Three cases, the histories of two runs of the first, all sealed."""
    async with three_cases(database_url, tmp_path / "keys") as opened:
        case_id = await case(opened, 0)
        for run in RUNS:
            packed = pack({"events": [{"eventId": "1", "eventType": run}]})
            event = HistoryStored(
                at=FILED_AT, case=case_id, run=run, history_sha256=packed.sha256, history_bytes=packed.size
            )
            await opened.store.access.record(
                AccessRecord(
                    programme=PROGRAMME,
                    command_id=CommandId(f"history:{run}"),
                    proof=CLOCK,
                    events=(event,),
                    history=packed.content,
                )
            )
        await opened.seal_map()
        yield opened


async def attack(log: SealedLog, *statements: str) -> None:
    await log.attack("ALTER TABLE passage.run_history DISABLE TRIGGER ALL", *statements)


def packed_hex(events: str) -> str:
    return pack({"events": [{"eventId": "1", "eventType": events}]}).content.hex()


async def test_untouched_histories_are_counted_and_not_accused(log: SealedLog) -> None:
    found = await log.verify()
    assert (found.faults, found.result.histories) == ([], 2)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(packed_hex("run-3"), id="another-of-the-same-size"),
        pytest.param(packed_hex("another-run"), id="a-longer-one"),
        pytest.param("00", id="no-gzip"),
        pytest.param(packed_hex("run-1")[:-8], id="cut-off"),
    ],
)
async def test_an_edited_history(log: SealedLog, content: str) -> None:
    await attack(log, f"UPDATE passage.run_history SET content = '\\x{content}' WHERE run_id = 'run-1'")
    found = await log.verify()
    assert [(fault.code, fault.stream, fault.version) for fault in found.faults] == [
        (Code.HISTORY_EDITED, f"access:{PROGRAMME}", 1)
    ]


async def test_a_deleted_history(log: SealedLog) -> None:
    await attack(log, "DELETE FROM passage.run_history WHERE run_id = 'run-2'")
    found = await log.verify()
    assert [(fault.code, fault.version) for fault in found.faults] == [(Code.HISTORY_DELETED, 2)]


async def test_two_histories_exchanged(log: SealedLog) -> None:
    await attack(
        log,
        "UPDATE passage.run_history SET version = 3 - version + 10",
        "UPDATE passage.run_history SET version = version - 10",
    )
    assert await log.codes() == {Code.HISTORY_EDITED}


async def test_a_history_slipped_in(log: SealedLog) -> None:
    await attack(
        log,
        "INSERT INTO passage.run_history (run_id, case_id, stream, version, content) "
        f"SELECT 'run-3', case_id, stream, 3, '\\x{packed_hex('run-3')}' FROM passage.run_history WHERE version = 1",
    )
    assert await log.codes() == {Code.HISTORY_INSERTED}


@pytest.mark.parametrize("role", ["passage_writer", "passage_auditor", "passage_owner", "postgres"])
@pytest.mark.parametrize(
    "change",
    ["UPDATE passage.run_history SET run_id = 'x'", "DELETE FROM passage.run_history", "TRUNCATE passage.run_history"],
)
async def test_no_role_changes_what_is_kept(log: SealedLog, role: str, change: str) -> None:
    connection = await asyncpg.connect(log.database_url, server_settings={"role": role})
    try:
        with pytest.raises(asyncpg.PostgresError, match=r"append-only|permission denied"):
            await connection.execute(change)
    finally:
        await connection.close()


async def test_nobody_keeps_a_history_without_its_event(log: SealedLog) -> None:
    view = (
        "'p', 'view:1', 0, '', now(), 'a', 'none', '', ARRAY['PersonalDataViewed'], '{1}', ARRAY[now()], "
        "ARRAY['{}'::bytea], '{x}', '{x}'"
    )
    for role, refusal in (("passage_writer", "its own event"), ("passage_auditor", "permission denied")):
        connection = await asyncpg.connect(log.database_url, server_settings={"role": role})
        try:
            with pytest.raises(asyncpg.PostgresError, match=refusal):
                await connection.execute(f"SELECT passage.record_history({view}, '\\x00')")
        finally:
            await connection.close()
