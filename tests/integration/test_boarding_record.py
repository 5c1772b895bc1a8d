"""Every answer to a carrier is on record before it leaves, and becomes one event whatever dies."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from domain.access import BoardingChecked, access_stream
from gateway.identity.callers import CHECKS_BOARDING
from gateway.identity.tokens import Caller
from relay.maintenance import record_checks
from tests.integration.test_gateway_process import ended, start
from tests.support.gateway import NOON, PROGRAMME, Desk, gateway_desk

NOBODY = "VEN-1111-1111"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


async def recorded(desk: Desk) -> list[tuple[str, datetime, BoardingChecked]]:
    """Actor, moment and event of each boarding check of the access stream, once the relay has been there."""
    await record_checks(desk.store.access)
    events = (await desk.store.load(access_stream(PROGRAMME))).events
    return [(each.actor, each.happened_at, each.event) for each in events if isinstance(each.event, BoardingChecked)]


async def test_each_answer_is_an_event_with_its_carrier_and_its_moment(desk: Desk) -> None:
    case_id = await desk.authorized_case()
    assert await desk.board(case_id) == "ok"
    later = datetime(2023, 1, 19, 5, tzinfo=UTC)
    desk.moments.append(later)
    desk.app.dependency_overrides[CHECKS_BOARDING] = lambda: Caller(
        "carrier-7", frozenset({"partner:carrier"}), "carrier-7"
    )
    assert await desk.board(case_id) == "expired"
    assert await recorded(desk) == [
        ("carrier", NOON, BoardingChecked(at=NOON, case=case_id, answer="ok")),
        ("partner:carrier:carrier-7", later, BoardingChecked(at=later, case=case_id, answer="expired")),
    ]


async def test_a_case_that_nobody_has_judged_yet_has_its_answer_on_record_too(desk: Desk) -> None:
    case_id = await desk.filed_case()
    assert await desk.board(case_id) == "none"
    assert [event.answer for _, _, event in await recorded(desk)] == ["none"]


async def test_a_question_about_no_case_is_no_event_of_a_programme(desk: Desk) -> None:
    assert (await desk.http.post("/v1/boarding-checks", json={"case": NOBODY})).status_code == 404
    assert await recorded(desk) == []


async def test_what_cannot_be_put_on_record_is_not_answered(desk: Desk) -> None:
    case_id = await desk.authorized_case()
    await desk.database.execute("ALTER TABLE passage.boarding_check ADD CONSTRAINT no_ok CHECK (answer <> 'ok')")
    response = await desk.http.post("/v1/boarding-checks", json={"case": case_id})
    assert response.status_code >= 500
    assert "answer" not in response.json()


async def test_checks_do_not_wait_for_the_access_stream(desk: Desk) -> None:
    case_id = await desk.authorized_case()
    async with desk.database.acquire() as connection, connection.transaction():
        await connection.execute("SELECT passage.lock_access($1)", PROGRAMME)
        answers = await asyncio.wait_for(asyncio.gather(*(desk.board(case_id) for _ in range(20))), 10)
    assert answers == ["ok"] * 20
    assert len(await recorded(desk)) == 20


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM passage.boarding_check",
        "UPDATE passage.boarding_check SET answer = 'held'",
        "TRUNCATE passage.boarding_check",
        "SELECT passage.prune_refusals_beyond(interval '0', 0, 1000)",
    ],
)
async def test_the_application_cannot_change_or_remove_what_is_noted(desk: Desk, change: str) -> None:
    await desk.board(await desk.authorized_case())
    async with desk.database.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE passage_writer")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(change)


async def test_a_check_leaves_the_table_as_the_event_that_says_the_same_or_not_at_all(desk: Desk) -> None:
    case_id = await desk.authorized_case()
    await desk.board(case_id)
    row = await desk.database.fetchrow("SELECT * FROM passage.boarding_check")
    assert row is not None
    for answer, at in (("held", row["checked_at"]), ("ok", datetime(2022, 10, 21, tzinfo=UTC))):
        body = json.dumps({"case": case_id, "answer": answer}).encode()
        with pytest.raises(asyncpg.PostgresError, match="leaves as its own event"):
            await desk.database.execute(
                "SELECT passage.append_checks($1, 'x', 0, $2, now(), $3, 'none', $2, '{BoardingChecked}', '{1}', "
                "$4, $5, $5, $6, $7)",
                PROGRAMME, bytes(32), row["carrier"], [at], [body], [bytes(32)], [row["number"]],
            )  # fmt: skip
    assert len(await recorded(desk)) == 1


async def test_a_relay_killed_at_any_moment_records_each_check_once(
    desk: Desk, database_url: str, tmp_path: Path
) -> None:
    case_id = await desk.authorized_case()
    await desk.database.execute(
        "SELECT passage.note_check($1, 'key:carrier:' || n % 3, $2, 'ok', now()) FROM generate_series(1, 6000) AS n",
        PROGRAMME, case_id,
    )  # fmt: skip
    settings = {"PASSAGE_DATABASE_URL": database_url, "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    for _ in range(2):
        async with ended(await start("relay", tmp_path, **settings)) as process:
            await moved(desk)
            process.kill()
    assert 0 < await desk.database.fetchval("SELECT count(*) FROM passage.boarding_check") < 6000
    assert len(await recorded(desk)) == 6000
    events = (await desk.store.load(access_stream(PROGRAMME))).events
    assert [each.version for each in events] == list(range(1, 6001))


async def moved(desk: Desk) -> None:
    """Until some more checks are events."""
    count = "SELECT count(*) FROM passage.boarding_check"
    before = await desk.database.fetchval(count)
    async with asyncio.timeout(30):
        while await desk.database.fetchval(count) == before:
            pass
