"""Transactions that overlap in Postgres: one is held open by hand while another tries."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import AsyncMock

import asyncpg
import pytest

from domain.humanitarian_parole.stages.entry import EvidenceDeadlinePassed
from domain.humanitarian_parole.stages.filing import WithdrawalRequest
from domain.humanitarian_parole.stages.sponsor import SponsorWithdrew, SponsorWithdrewNotice
from domain.humanitarian_parole.stages.travel import ALLOTMENT as AIR
from domain.humanitarian_parole.stages.travel import Waitlisted
from domain.kernel.programme import ProgrammeSuspended
from eventstore.conflicts import IllegalAppend, MessageFirst, ProgrammeConflict, StoreUnavailable
from eventstore.keys import DirectoryKeyStore
from eventstore.places import FreePlace, JoinWaitingList, TakePlace
from eventstore.port import NOTIFICATIONS_RETURNED_MAX, ReadAt
from eventstore.postgres.store import PostgresStore
from tests.support.filings import (
    MONTH,
    NOON,
    PROGRAMME,
    file_case,
    filed,
    message,
    open_programme,
    programme_summary,
)

DUE = NOON + timedelta(days=30)


@pytest.fixture
async def store(database_url: str, tmp_path: Path) -> AsyncIterator[PostgresStore]:
    opened = await PostgresStore.connect(database_url, DirectoryKeyStore(tmp_path / "keys"))
    yield opened
    await opened.close()


@pytest.fixture
async def by_hand(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection whose transaction the test opens and ends."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def receive_by_hand(connection: asyncpg.Connection, case_id: str, message_id: str) -> int:
    number: int = await connection.fetchval(
        "SELECT number FROM passage.receive($1, $1, NULL, 'applicant', $2, 'application.withdrawn', '', NULL, $3, $4, "
        "'gateway', NULL, false)",
        case_id, message_id, bytes(32), DUE - timedelta(seconds=1),
    )  # fmt: skip
    return number


async def test_a_deadline_waits_for_a_message_whose_commit_is_late(
    store: PostgresStore, by_hand: asyncpg.Connection
) -> None:
    writer = await file_case(store)
    transaction = by_hand.transaction()
    await transaction.start()
    await receive_by_hand(by_hand, writer.stream, "slow")
    passed = asyncio.create_task(writer.append(EvidenceDeadlinePassed(at=DUE), deadline=DUE))
    done, _ = await asyncio.wait([passed], timeout=0.3)
    assert not done
    await transaction.commit()
    with pytest.raises(MessageFirst):
        await passed


async def test_numbers_of_one_case_become_visible_in_their_order(
    store: PostgresStore, by_hand: asyncpg.Connection
) -> None:
    writer = await file_case(store)
    transaction = by_hand.transaction()
    await transaction.start()
    first = await receive_by_hand(by_hand, writer.stream, "slow")
    second = asyncio.create_task(store.inbox.receive(message(writer.stream, "m2", SponsorWithdrewNotice())))
    done, _ = await asyncio.wait([second], timeout=0.3)
    assert not done
    await transaction.commit()
    assert (await second).number > first


async def test_a_place_offered_is_numbered_after_a_message_under_way(
    store: PostgresStore, by_hand: asyncpg.Connection
) -> None:
    await open_programme(store, places=1)
    holder, waiting = await file_case(store), await file_case(store)
    await holder.append(Waitlisted(at=NOON), place=TakePlace(AIR, MONTH))
    await waiting.append(Waitlisted(at=NOON), place=JoinWaitingList(AIR, NOON, MONTH))
    transaction = by_hand.transaction()
    await transaction.start()
    first = await receive_by_hand(by_hand, waiting.stream, "slow")
    freed = asyncio.create_task(holder.append(Waitlisted(at=NOON), place=FreePlace(AIR, MONTH)))
    done, _ = await asyncio.wait([freed], timeout=0.3)
    assert not done
    await transaction.commit()
    assert (await freed).notifications[0].number > first


async def test_a_suspension_waits_for_appends_under_way_and_later_ones_see_it(
    store: PostgresStore, by_hand: asyncpg.Connection
) -> None:
    programme = await open_programme(store)
    writer = await file_case(store)
    transaction = by_hand.transaction()
    await transaction.start()
    await by_hand.execute("SELECT pg_advisory_xact_lock_shared(1, hashtext($1))", PROGRAMME)
    suspended = asyncio.create_task(
        programme.append(ProgrammeSuspended(at=NOON), summary=programme_summary(status="suspended"), notifies="all")
    )
    await asyncio.sleep(0.2)
    late = asyncio.create_task(writer.append(SponsorWithdrew(at=NOON), read_at=ReadAt(programme_version=1)))
    done, _ = await asyncio.wait([suspended, late], timeout=0.2)
    assert not done
    await transaction.commit()
    assert [notification.case_id for notification in (await suspended).notifications] == [writer.stream]
    with pytest.raises(ProgrammeConflict):
        await late


async def test_thousands_of_open_cases_are_notified_in_batches_after_a_suspension(
    store: PostgresStore, by_hand: asyncpg.Connection
) -> None:
    programme = await open_programme(store)
    first = await file_case(store)
    columns = "rules_version, stage, waiting_on, since, facts, flags, filed_at, closed, held"
    await by_hand.execute(
        f"INSERT INTO passage.case_head (case_id, programme, version, hash, filed_number, {columns}) "  # constants
        f"SELECT 'case-' || n, programme, 1, hash, 1000000 + n, {columns} "
        "FROM passage.case_head, generate_series(1, 3000) AS n"
    )
    suspended = programme_summary(status="suspended")
    appended = await programme.append(ProgrammeSuspended(at=NOON), summary=suspended, notifies="all")
    assert len(appended.notifications) <= NOTIFICATIONS_RETURNED_MAX
    assert appended.notifications[0].case_id == first.stream
    claimed: list[int] = []
    while rows := await store.inbox.claim_notifications(100):
        claimed += [row.number for row in rows]
        assert await by_hand.fetchval("SELECT count(*) FROM passage.notification WHERE notified_at IS NULL") <= 1000
    assert len(claimed) == len(set(claimed)) == 3001
    assert claimed == sorted(claimed)


async def test_a_suspension_stands_before_any_case_is_notified_and_loses_none(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that suspends dies after its commit."""
    programme = await open_programme(store)
    writer = await file_case(store)
    died = AsyncMock(side_effect=StoreUnavailable("died"))
    with monkeypatch.context() as dying:
        dying.setattr(store.inbox, "write_notices", died)
        with pytest.raises(StoreUnavailable):
            await programme.append(
                ProgrammeSuspended(at=NOON), summary=programme_summary(status="suspended"), notifies="all"
            )
    with pytest.raises(ProgrammeConflict):
        await writer.append(SponsorWithdrew(at=NOON), read_at=ReadAt(programme_version=1))
    assert [row.stream for row in await store.inbox.claim_notifications(100)] == [writer.stream]


async def test_two_programmes_notify_the_same_cases_without_a_deadlock(
    store: PostgresStore, by_hand: asyncpg.Connection
) -> None:
    cases = [(await file_case(store)).stream for _ in range(40)]
    for order in (cases, cases[::-1]) * 10:
        await by_hand.execute(
            "INSERT INTO passage.notice (programme, kind, cases, noticed_at) VALUES ('p', 'place.offered', $1, now())",
            order,
        )
    written = await asyncio.gather(*(store.inbox.write_notices(20) for _ in range(8)))
    assert sum(map(len, written)) == 40 * 20


async def test_a_lost_database_is_unavailable_and_the_same_append_then_succeeds(
    store: PostgresStore, by_hand: asyncpg.Connection
) -> None:
    writer = await file_case(store)
    command = writer.of(SponsorWithdrew(at=NOON))
    blocker = by_hand.transaction()
    await blocker.start()
    await by_hand.execute("SELECT FROM passage.case_head FOR UPDATE")
    append = asyncio.create_task(store.append(command))
    await asyncio.sleep(0.2)
    ended = await by_hand.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert ended > 0
    with pytest.raises(StoreUnavailable):
        await append
    await blocker.rollback()
    assert (await store.append(command)).version == 2
    assert (await store.append(command)).first_result is False


async def test_nothing_personal_is_in_clear_in_any_table(store: PostgresStore, by_hand: asyncpg.Connection) -> None:
    writer = await file_case(store)
    await store.inbox.receive(message(writer.stream, "m1", WithdrawalRequest()))
    filing = filed().application
    said = [filing.beneficiary.surnames, filing.beneficiary.passport.number, filing.supporter.phone]
    for table in await by_hand.fetch("SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'passage'"):
        rows = await by_hand.fetch(f"SELECT t::text FROM passage.{table['relname']} AS t")  # own tables
        text = " ".join(row["t"] for row in rows)
        assert not [word for word in said if word in text or word.encode().hex() in text]


async def test_no_notification_is_claimed_without_being_handed_over(store: PostgresStore) -> None:
    """A message that commits while a claim is under way is in that claim whole, or in the next."""
    writer = await file_case(store)
    senders_done = asyncio.Event()
    claimed: set[int] = set()

    async def send(sender: int) -> list[int]:
        bodies = (message(writer.stream, f"{sender}-{each}", WithdrawalRequest()) for each in range(150))
        return [(await store.inbox.receive(body)).number for body in bodies]

    async def claim() -> None:
        while not senders_done.is_set():
            claimed.update(row.number for row in await store.inbox.claim_notifications(100))

    claiming = asyncio.create_task(claim())
    sent = await asyncio.gather(*(send(sender) for sender in range(6)))
    senders_done.set()
    await claiming
    claimed.update(row.number for row in await store.inbox.claim_notifications(1000))
    assert {number for each in sent for number in each} <= claimed


async def test_an_append_sees_what_committed_whatever_the_database_sets(database_url: str, tmp_path: Path) -> None:
    """Under a snapshot of its own, one decided before a suspension would commit after it."""
    administrator = await asyncpg.connect(database_url)
    name = await administrator.fetchval("SELECT current_database()")
    await administrator.execute(f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = 'repeatable read'")
    await administrator.close()
    store = await PostgresStore.connect(database_url, DirectoryKeyStore(tmp_path / "keys"), connections=1)
    assert await store._pool.fetchval("SHOW transaction_isolation") == "read committed"
    case = await file_case(store)
    await store._pool.execute("SET default_transaction_isolation = 'serializable'")  # and where a session does
    with pytest.raises(IllegalAppend):
        await case.append(SponsorWithdrew(at=NOON))
    await store.close()
