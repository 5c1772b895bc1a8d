"""Runs that have ended are kept with the log: each once, in full, whoever stores them and whenever he dies."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from audit.verify.beside.histories import history_of, kept_of
from domain.access import HistoryStored, access_stream
from eventstore.conflicts import StoreUnavailable
from relay import history_archiver
from relay.history_archiver import HistoryArchiver, store_ended
from tests.support.breaking import set_back
from tests.support.desk import Desk, working
from tests.support.filed import FILED_AT
from tests.support.filings import PROGRAMME
from tests.support.sealed_log import SealedLog

FILED = ("application.submitted",)


@pytest.fixture
async def desk(log: SealedLog, dev_server: WorkflowEnvironment) -> AsyncIterator[Desk]:
    """A case that is in the log, and a workflow of it with activities of its own."""
    async with working(dev_server) as opened:
        opened.case_id = await log.file()
        yield opened


def now() -> datetime:
    return FILED_AT


async def stored(log: SealedLog, desk: Desk, at_least: int, since: datetime | None = None) -> int:
    """Store until Temporal's list, which lags, has had so many ended runs; how many were stored in all."""
    count = 0
    async with asyncio.timeout(15):
        while True:
            count += await store_ended(desk.client, log.store, now, since)
            if count >= at_least:
                return count
            await asyncio.sleep(0.1)


async def until_listed(desk: Desk) -> None:
    async with asyncio.timeout(15):
        while desk.case_id not in [each.id async for each in desk.client.list_workflows(history_archiver._ENDED)]:  # noqa: ASYNC110  a server tells nobody
            await asyncio.sleep(0.05)


async def kept(log: SealedLog, desk: Desk) -> list[dict[str, Any]]:
    """What an auditor reads of the case's histories, each held to its event."""
    connection = await asyncpg.connect(log.database_url, server_settings={"role": "passage_auditor"})
    try:
        return [history_of(row) for row in await kept_of(connection, desk.case_id)]
    finally:
        await connection.close()


async def events_of(log: SealedLog) -> list[Any]:
    return [each.event for each in (await log.store.load(access_stream(PROGRAMME))).events]


def ids(history: dict[str, Any]) -> list[tuple[str, str]]:
    return [(event["eventId"], event["eventType"]) for event in history["events"]]


async def test_each_run_is_kept_when_it_ends_and_only_once(log: SealedLog, desk: Desk) -> None:
    await desk.walk(*FILED)
    assert await store_ended(desk.client, log.store, now) == 0
    await desk.post("application.withdrawn")
    await desk.handle.result()
    assert await stored(log, desk, 1, since=datetime.now(UTC) - timedelta(minutes=1)) == 1
    assert await store_ended(desk.client, log.store, now) == 0

    (history,) = await kept(log, desk)
    (whole,) = await desk.histories()
    assert ids(history) == ids(whole)
    (event,) = await events_of(log)
    assert isinstance(event, HistoryStored)
    assert (event.case, event.at) == (desk.case_id, FILED_AT)
    await log.seal()
    assert (await log.verify()).faults == []


async def test_a_reset_keeps_both_ways(log: SealedLog, desk: Desk) -> None:
    await desk.walk(*FILED, "sponsor.confirmed")
    await set_back(desk.client, desk.case_id)
    await desk.settle()
    await desk.post("application.withdrawn")
    await desk.handle.result()
    assert await stored(log, desk, 2) == 2
    assert sorted(ids(each) for each in await kept(log, desk)) == sorted(ids(each) for each in await desk.histories())


async def test_many_archivers_at_once_keep_it_once(log: SealedLog, desk: Desk) -> None:
    await desk.walk(*FILED)
    await desk.handle.terminate()
    await until_listed(desk)
    await asyncio.gather(*(store_ended(desk.client, log.store, now) for _ in range(5)))
    assert len(await kept(log, desk)) == len(await events_of(log)) == 1


async def test_what_nobody_filed_is_left_alone(log: SealedLog, desk: Desk) -> None:
    await desk.walk(*FILED)
    await desk.handle.terminate()
    filed, desk.case_id = desk.case_id, "VEN-1111-1111"
    await desk.walk(*FILED)
    await desk.handle.terminate()
    desk.case_id = filed
    assert await stored(log, desk, 1) == 1


async def test_a_look_that_fails_is_done_again_and_no_run_is_lost(log: SealedLog, desk: Desk) -> None:
    """Temporal away, then Postgres away at the very write; then both are back."""
    await desk.walk(*FILED)
    await desk.handle.terminate()
    away = [RPCError("away", RPCStatusCode.UNAVAILABLE, b"")]

    async def connect() -> Any:
        if away:
            raise away.pop()
        return desk.client

    looks = HistoryArchiver(connect, log.store, now, clock=lambda: datetime.now(UTC))
    with pytest.raises(RPCError):
        await looks.look()
    await log.attack("ALTER FUNCTION passage.record_history RENAME TO gone")
    async with asyncio.timeout(15):
        while True:  # until Temporal's list has it
            try:
                assert await looks.look() == 0
            except (asyncpg.PostgresError, StoreUnavailable):
                break
    assert (await kept(log, desk), await events_of(log)) == ([], [])
    await log.attack("ALTER FUNCTION passage.gone RENAME TO record_history")
    assert await looks.look() == 1


async def test_a_look_goes_back_behind_the_last_and_now_and_then_to_the_beginning(
    log: SealedLog, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime | None] = []

    async def store(_client: Any, _store: Any, _now: Any, since: datetime | None) -> int:
        asked.append(since)
        return 0

    async def connect() -> Any:
        return desk.client

    monkeypatch.setattr(history_archiver, "store_ended", store)
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    moments = [noon, noon + timedelta(seconds=10), noon + timedelta(hours=7)]
    looks = HistoryArchiver(connect, log.store, now, clock=iter(moments).__next__)
    for _ in moments:
        await looks.look()
    assert asked == [None, noon - history_archiver.LOOK_BACK, None]


async def test_nothing_personal_is_kept_of_what_somebody_sent_by_hand(log: SealedLog, desk: Desk) -> None:
    await desk.walk(*FILED)
    plain = await type(desk.client).connect(
        desk.client.service_client.config.target_host, namespace=desk.client.namespace, identity="Maria Rojas"
    )
    handle = plain.get_workflow_handle(desk.case_id)
    await handle.signal("vetting.hit", {"message_id": "ops-1", "name": "Maria Rojas"})
    await handle.terminate("Maria Rojas asked for it", reason="Maria Rojas")
    assert await stored(log, desk, 1) == 1
    (history,) = await kept(log, desk)
    assert "Maria" not in json.dumps(history)
    assert "TWFyaW" not in json.dumps(history)
