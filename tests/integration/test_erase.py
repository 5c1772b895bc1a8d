"""Erasure attacked: whoever has every table, every file, an old backup and today's key store finds nobody."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from cases.erasure import ErasureOrder, erase, hold, release
from cases.handle import command_of, handle
from cases.repository import CaseRepository
from domain.humanitarian_parole.application import Document
from domain.humanitarian_parole.stages.entry import EvidenceSubmission
from domain.humanitarian_parole.stages.filing import ApplicationSubmitted, WithdrawalRequest
from domain.humanitarian_parole.stages.passport import PassportChange
from domain.kernel.events import PersonalDataErased
from domain.kernel.ids import CaseId
from domain.kernel.messages import FileApplication
from domain.kernel.proof import claimed
from eventstore.conflicts import ErasureRefused
from eventstore.format.lookups import Lookups
from eventstore.inbox import Incoming
from eventstore.keys import DirectoryKeyStore, KeyDestroyed
from eventstore.postgres.store import PostgresStore
from stack.postgres.server import EmbeddedPostgres
from tests.support.filed import FILED_AT, a_beneficiary, a_passport, a_supporter, an_application, day
from tests.support.filings import new_case_id
from tests.support.sealed_log import SealedLog

CANARIES = ("Canariensis-Zx81", "PZ-777-canary", "canary-street-4711", "+1-999-canary")
LATER = day(900)


@pytest.fixture
async def eraser(log: SealedLog) -> AsyncIterator[CaseRepository]:
    keys = DirectoryKeyStore(log.keys)
    store = await PostgresStore.connect(log.database_url, keys, connections=2, role="passage_eraser")
    yield CaseRepository(store, store.inbox, Lookups(await keys.pepper()))
    await store.close()


async def closed_case(log: SealedLog) -> CaseId:
    """A case of the canaries that went far, and closed."""
    await log.file()  # somebody else, who stays
    case_id = await log.file()
    await log.say(case_id, WithdrawalRequest(), day(20))
    return case_id


async def canary_case(log: SealedLog) -> CaseId:
    """The canaries file, send evidence nobody asked for, change their passport, may travel and withdraw."""
    supporter = a_supporter(surnames=CANARIES[0], phone=CANARIES[3], address=CANARIES[2])
    application = an_application(
        a_beneficiary(surnames=CANARIES[0], passport=a_passport(number=CANARIES[1])), supporter=supporter
    )
    case_id = new_case_id()
    filing = FileApplication(
        case_id,
        "supporter",
        "filing-canary",
        ApplicationSubmitted(application=application),
        FILED_AT,
        claimed("supporter"),
    )
    await log.take(case_id, filing, FILED_AT)
    await log.say(case_id, PassportChange(passport=a_passport(number=CANARIES[1] + "-new")), FILED_AT)
    await receive(log, case_id, EvidenceSubmission(documents=(Document(kind="other", number=CANARIES[1]),)))
    row = await log.store.inbox.next_undecided(case_id)
    assert row is not None
    await handle(log.cases, await log.cases.see(case_id, FILED_AT), command_of(row), FILED_AT, row)
    await log.authorize(case_id)
    await log.withdraw(case_id)
    return case_id


async def receive(log: SealedLog, case_id: CaseId, body: Any) -> None:
    incoming = Incoming(
        source="applicant",
        message_id=f"{body.message}-{case_id}",
        case_id=case_id,
        programme=None,
        body=body,
        received_at=FILED_AT,
        proof=claimed("applicant"),
    )
    await log.store.inbox.receive(incoming)


FIRST, SECOND, THIRD = (claimed("officer", f"o-{number}") for number in (17, 18, 9))


def order(case_id: CaseId, **changed: Any) -> ErasureOrder:
    said: dict[str, Any] = {"first": FIRST, "second": SECOND, "because": "retention-ended", **changed}
    return ErasureOrder(case_id=case_id, **said)


async def dump(database_url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, as a backup has them."""
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'passage'")
        return {
            table: [dict(row) for row in await connection.fetch(f"SELECT * FROM passage.{table}")]
            for (table,) in tables
        }
    finally:
        await connection.close()


async def test_after_erasure_nothing_personal_is_found_anywhere(
    log: SealedLog, eraser: CaseRepository, postgres_server: EmbeddedPostgres
) -> None:
    case_id = await canary_case(log)
    keys = DirectoryKeyStore(log.keys)
    wrapped = (log.keys / "cases" / case_id).read_bytes()
    backup = await dump(log.database_url)
    lookups = {bytes(value) for row in backup["supporter_key"] if row["case_id"] == case_id
               for value in row.values() if isinstance(value, bytes)}  # fmt: skip
    lookups |= {row["key"] for row in backup["case_person"] if row["case_id"] == case_id}
    assert len(lookups) >= 5

    await erase(eraser, keys, order(case_id), LATER)

    connection = await asyncpg.connect(log.database_url)
    await connection.execute("CHECKPOINT")
    await connection.close()
    told = repr(backup) + repr(await dump(log.database_url))
    files = [file.read_bytes() for file in postgres_server.home.rglob("*") if file.is_file()]
    key_files = [file.read_bytes() for file in log.keys.rglob("*") if file.is_file()]
    for canary in CANARIES:
        assert canary not in told
        assert not any(canary.encode() in content for content in files)
    assert not any(wrapped in content or wrapped[12:] in content for content in key_files)
    after = await dump(log.database_url)
    assert not [row for table in ("case_person", "supporter_key") for row in after[table] if row["case_id"] == case_id]
    assert not lookups & {row["key"] for row in after["person_key"]}
    restarted = DirectoryKeyStore(log.keys)
    for row in [*backup["events"], *backup["inbox"]]:
        if row["key_id"] == case_id:
            with pytest.raises(KeyDestroyed):
                await restarted.get(row["key_id"])


async def test_the_log_verifies_and_replays_after_an_erasure(log: SealedLog, eraser: CaseRepository) -> None:
    case_id = await canary_case(log)
    await log.seal_map()
    kept = await log.checkpoint()
    before = await log.cases.case(case_id)
    erased = await erase(eraser, DirectoryKeyStore(log.keys), order(case_id), LATER)
    assert (erased.first, erased.version) == (True, before.version + 1)
    await log.seal_map()
    assert (await log.verify(kept)).faults == []
    stream = await PostgresStore(log.store._pool, DirectoryKeyStore(log.keys)).load(case_id)
    assert isinstance(stream.events[-1].event, PersonalDataErased)
    assert [each.erased for each in stream.events[:1]] == [True]


async def test_a_second_order_changes_nothing_and_a_crash_before_the_key_is_ended_by_it(
    log: SealedLog, eraser: CaseRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = await closed_case(log)
    keys = DirectoryKeyStore(log.keys)

    async def crash(_: str) -> None:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(keys, "destroy", crash)
        with pytest.raises(ConnectionError):
            await erase(eraser, keys, order(case_id), LATER)
    await DirectoryKeyStore(log.keys).get(case_id)  # the key is still there
    again = await erase(eraser, keys, order(case_id, first=THIRD), LATER)
    assert not again.first
    with pytest.raises(KeyDestroyed):
        await DirectoryKeyStore(log.keys).get(case_id)
    assert (await erase(eraser, keys, order(case_id), LATER)).version == again.version
    assert (await log.store.load(case_id)).version == again.version


async def test_what_may_not_be_erased_is_refused_by_name(log: SealedLog, eraser: CaseRepository) -> None:
    keys = DirectoryKeyStore(log.keys)
    still_open = await log.file()
    case_id = await closed_case(log)
    await hold(eraser, case_id, THIRD, "litigation", "hold:1", LATER)
    refused = {
        "one-officer-twice": order(case_id, second=FIRST),
        "case-open": order(still_open),
        "legal-hold": order(case_id),
        "unknown-case": order("VEN-7Q4K-M2XS"),
    }
    for code, asked in refused.items():
        with pytest.raises(ErasureRefused, match=code):
            await erase(eraser, keys, asked, LATER)
    await keys.get(case_id)
    await release(eraser, case_id, THIRD, "litigation-ended", "hold:2", LATER)
    with pytest.raises(ErasureRefused, match="not-held"):
        await release(eraser, case_id, THIRD, "litigation-ended", "hold:3", LATER)
    await receive(log, case_id, WithdrawalRequest())
    with pytest.raises(ErasureRefused, match="messages-undecided"):
        await erase(eraser, keys, order(case_id), LATER)


async def test_an_erased_case_takes_no_message_from_a_process_that_remembers_its_key(
    log: SealedLog, eraser: CaseRepository
) -> None:
    case_id = await closed_case(log)
    await log.cases.case(case_id)  # this store's cache holds the key
    await erase(eraser, DirectoryKeyStore(log.keys), order(case_id), LATER)
    with pytest.raises(KeyDestroyed):
        await receive(log, case_id, WithdrawalRequest())
    assert await log.store.inbox.next_undecided(case_id) is None


@pytest.mark.parametrize("role", ["passage_writer", "passage_reader", "passage_auditor", "passage_sealer"])
async def test_no_other_role_may_forget_or_hold(log: SealedLog, role: str) -> None:
    connection = await asyncpg.connect(log.database_url, server_settings={"role": role})
    try:
        for function in ("begin_erasure", "erase_case", "record_holds"):
            assert not await connection.fetchval(
                "SELECT bool_or(has_function_privilege(oid, 'EXECUTE')) FROM pg_proc "
                "WHERE pronamespace = 'passage'::regnamespace AND proname = $1",
                function,
            )
    finally:
        await connection.close()
