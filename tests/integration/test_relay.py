"""The relay notifies cases of every message until its case has taken it, whatever fails in between."""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from activities.notify import PendingNotification
from cases.programme_commands import handle_programme
from domain.kernel.messages import ProgrammeSuspension
from domain.kernel.proof import claimed
from eventstore.inbox import Incoming
from process.config import child_environment
from relay import relay
from relay.relay import Relay, notify_once
from stack.ports import HOST, choose_port
from tests.support.gateway import NOON, PROGRAMME, Desk, gateway_desk
from tests.support.temporal import binary
from workflows.contracts import SEARCH_ATTRIBUTES


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


@dataclass
class Notifications:
    """Stands where Temporal is signalled."""

    notified: list[PendingNotification] = field(default_factory=list)
    away: bool = False

    async def __call__(self, notifications: Iterable[PendingNotification]) -> None:
        if self.away:
            raise RPCError("unavailable", RPCStatusCode.UNAVAILABLE, b"")
        self.notified.extend(notifications)

    @property
    def numbers(self) -> list[int]:
        return [notification.number for notification in self.notified]


async def no_programme(_: str) -> None:
    raise AssertionError("no programme had anything to take")


async def later(desk: Desk, seconds: int) -> None:
    """Let the claims grow old."""
    await desk.database.execute(
        "UPDATE passage.notification SET notified_at = notified_at - make_interval(secs => $1)", float(seconds)
    )


async def until(condition: Callable[[], Awaitable[bool]], patience_s: float = 5) -> None:
    deadline = time.monotonic() + patience_s
    while not await condition():
        assert time.monotonic() < deadline, f"waited {patience_s} s in vain"
        await asyncio.sleep(0.02)


async def until_notified(notifications: Notifications, count: int) -> None:
    async def all_notified() -> bool:
        return len(notifications.notified) >= count

    await until(all_notified)


async def test_each_message_is_notified_once_with_its_case_kind_and_number(desk: Desk) -> None:
    case_id, notifications = await desk.filed_case(), Notifications()
    await desk.send("applicant", "m-1", {"case": case_id, "message": "application.withdrawn"})
    assert await notify_once(desk.deps.inbox, notifications, no_programme) == 2
    kept = [row["message_id"] for row in await desk.database.fetch("SELECT * FROM passage.inbox ORDER BY number")]
    assert notifications.notified == [
        PendingNotification(case_id, "application.submitted", kept[0], 1),
        PendingNotification(case_id, "application.withdrawn", kept[1], 2),
    ]
    assert await notify_once(desk.deps.inbox, notifications, no_programme) == 0


async def test_what_was_not_taken_is_notified_again_after_half_a_minute(desk: Desk) -> None:
    case_id, notifications = await desk.filed_case(), Notifications()
    await notify_once(desk.deps.inbox, notifications, no_programme)
    await later(desk, 29)
    assert await notify_once(desk.deps.inbox, notifications, no_programme) == 0
    await later(desk, 2)
    assert await notify_once(desk.deps.inbox, notifications, no_programme) == 1
    await desk.take_all(case_id)
    await later(desk, 60)
    assert await notify_once(desk.deps.inbox, notifications, no_programme) == 0


async def test_a_notification_that_nobody_heard_is_not_lost(desk: Desk) -> None:
    notifications = Notifications(away=True)
    await desk.filed_case()
    with pytest.raises(RPCError):
        await notify_once(desk.deps.inbox, notifications, no_programme)
    notifications.away = False
    await later(desk, 31)
    await notify_once(desk.deps.inbox, notifications, no_programme)
    assert notifications.numbers == [1]


async def test_relays_side_by_side_notify_nothing_twice(desk: Desk) -> None:
    for number in range(12):
        await desk.filed_case(f"filing-{number}")
    notifications = Notifications()
    await asyncio.gather(*(notify_once(desk.deps.inbox, notifications, no_programme, limit=3) for _ in range(8)))
    while await notify_once(desk.deps.inbox, notifications, no_programme):
        pass
    assert sorted(notifications.numbers) == list(range(1, 13))


async def test_what_the_governments_said_is_decided_and_made_known_if_the_gateway_could_not(desk: Desk) -> None:
    case_id, notifications = await desk.authorized_case(), Notifications()
    await desk.deps.inbox.receive(
        Incoming(
            source="governments",
            message_id="g-1",
            case_id=None,
            programme=PROGRAMME,
            body=ProgrammeSuspension(),
            received_at=NOON,
            proof=claimed("governments"),
        )
    )

    async def handle_now(programme: str) -> None:
        await handle_programme(desk.deps.cases, programme, desk.deps.now())

    await notify_once(desk.deps.inbox, notifications, handle_now)
    assert (await desk.http.get("/v1/partners/governments/messages/g-1")).json()["answer"] == "accepted"
    await notify_once(desk.deps.inbox, notifications, handle_now)
    assert [(notification.case_id, notification.message) for notification in notifications.notified] == [
        (case_id, "programme.changed")
    ]


async def test_the_loop_notifies_what_comes_until_it_is_stopped(desk: Desk) -> None:
    notifications, stopped = Notifications(), asyncio.Event()
    running = asyncio.create_task(Relay(desk.deps.inbox, notifications, no_programme).run(stopped))
    for number in range(3):
        await desk.filed_case(f"filing-{number}")
        await until_notified(notifications, number + 1)
    stopped.set()
    await asyncio.wait_for(running, 2)
    await desk.filed_case("filing-late")
    await asyncio.sleep(0.1)
    assert notifications.numbers == [1, 2, 3]


async def test_the_loop_does_not_pause_while_there_is_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "IDLE_S", 60.0)
    for number in range(9):
        await desk.filed_case(f"filing-{number}")
    notifications, stopped = Notifications(), asyncio.Event()
    running = asyncio.create_task(Relay(desk.deps.inbox, notifications, no_programme, limit=2).run(stopped))
    await until_notified(notifications, 9)
    stopped.set()
    await asyncio.wait_for(running, 2)


async def test_the_loop_outlives_an_absent_temporal_and_says_that_it_is_not_ready(desk: Desk) -> None:
    notifications, stopped = Notifications(away=True), asyncio.Event()
    notifying = Relay(desk.deps.inbox, notifications, no_programme)
    running = asyncio.create_task(notifying.run(stopped))
    await desk.filed_case()
    await asyncio.sleep(0.3)
    assert not notifying.ready
    notifications.away = False
    await later(desk, 31)
    await until_notified(notifications, 1)
    await asyncio.sleep(0.05)
    assert notifying.ready
    stopped.set()
    await asyncio.wait_for(running, 2)


async def test_the_process_waits_for_temporal_notifies_and_ends_in_order(
    desk: Desk, database_url: str, tmp_path: Path
) -> None:
    case_id, port = await desk.filed_case(), choose_port(7300)
    environment = child_environment(
        {
            "PASSAGE_DATABASE_URL": database_url,
            "PASSAGE_KEYS_DIR": str(tmp_path / "keys"),
            "PASSAGE_DATA_DIR": str(tmp_path / "data"),
            "TEMPORAL_ADDRESS": f"{HOST}:{port}",
        }
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "relay", env=environment, cwd=tmp_path, stdout=PIPE, stderr=STDOUT
    )
    assert process.stdout is not None
    try:
        said = await asyncio.wait_for(process.stdout.readuntil(b"notifying failed"), 30)
        async with await WorkflowEnvironment.start_local(
            port=port, dev_server_existing_path=binary("temporal"), search_attributes=SEARCH_ATTRIBUTES
        ) as temporal:
            client = temporal.client
            await later(desk, 31)

            async def runs() -> bool:
                return (await client.count_workflows(f"WorkflowId = '{case_id}'")).count > 0

            await until(runs, patience_s=20)
            process.send_signal(signal.SIGTERM)
            rest, _ = await asyncio.wait_for(process.communicate(), 15)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, rest
    assert b"temporal-unavailable" in said
    assert b"Traceback" not in said + rest
