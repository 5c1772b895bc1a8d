"""The relay rings every message until its case has taken it, whatever fails in between."""

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

from activities.notify import InboxBell
from cases.programme_commands import govern
from config import child_environment
from domain.messages import ProgrammeSuspension
from eventstore.inbox import Incoming
from gateway import relay
from gateway.relay import Relay, ring_once
from stack.ports import HOST, choose_port
from tests.support.gateway import NOON, PROGRAMME, Desk, gateway_desk
from tests.support.temporal import binary
from workflows.contracts import SEARCH_ATTRIBUTES


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


@dataclass
class Bells:
    """Stands where Temporal is rung."""

    rung: list[InboxBell] = field(default_factory=list)
    away: bool = False

    async def __call__(self, bells: Iterable[InboxBell]) -> None:
        if self.away:
            raise RPCError("unavailable", RPCStatusCode.UNAVAILABLE, b"")
        self.rung.extend(bells)

    @property
    def numbers(self) -> list[int]:
        return [bell.number for bell in self.rung]


async def no_governing(_: str) -> None:
    raise AssertionError("no programme had anything to take")


async def later(desk: Desk, seconds: int) -> None:
    """Let the claims grow old."""
    await desk.database.execute("UPDATE passage.bell SET rung_at = rung_at - make_interval(secs => $1)", float(seconds))


async def until(condition: Callable[[], Awaitable[bool]], patience_s: float = 5) -> None:
    deadline = time.monotonic() + patience_s
    while not await condition():
        assert time.monotonic() < deadline, f"waited {patience_s} s in vain"
        await asyncio.sleep(0.02)


async def until_rung(bells: Bells, count: int) -> None:
    async def all_rung() -> bool:
        return len(bells.rung) >= count

    await until(all_rung)


async def test_each_message_is_rung_once_with_its_case_kind_and_number(desk: Desk) -> None:
    case_id, bells = await desk.filed_case(), Bells()
    await desk.send("applicant", "m-1", {"case": case_id, "message": "application.withdrawn"})
    assert await ring_once(desk.deps.inbox, bells, no_governing) == 2
    assert bells.rung == [
        InboxBell(case_id, "application.submitted", "filing-1", 1),
        InboxBell(case_id, "application.withdrawn", "m-1", 2),
    ]
    assert await ring_once(desk.deps.inbox, bells, no_governing) == 0


async def test_what_was_not_taken_is_rung_again_after_half_a_minute(desk: Desk) -> None:
    case_id, bells = await desk.filed_case(), Bells()
    await ring_once(desk.deps.inbox, bells, no_governing)
    await later(desk, 29)
    assert await ring_once(desk.deps.inbox, bells, no_governing) == 0
    await later(desk, 2)
    assert await ring_once(desk.deps.inbox, bells, no_governing) == 1
    await desk.take_all(case_id)
    await later(desk, 60)
    assert await ring_once(desk.deps.inbox, bells, no_governing) == 0


async def test_a_bell_that_nobody_heard_is_not_lost(desk: Desk) -> None:
    bells = Bells(away=True)
    await desk.filed_case()
    with pytest.raises(RPCError):
        await ring_once(desk.deps.inbox, bells, no_governing)
    bells.away = False
    await later(desk, 31)
    await ring_once(desk.deps.inbox, bells, no_governing)
    assert bells.numbers == [1]


async def test_relays_side_by_side_ring_nothing_twice(desk: Desk) -> None:
    for number in range(12):
        await desk.filed_case(f"filing-{number}")
    bells = Bells()
    await asyncio.gather(*(ring_once(desk.deps.inbox, bells, no_governing, limit=3) for _ in range(8)))
    while await ring_once(desk.deps.inbox, bells, no_governing):
        pass
    assert sorted(bells.numbers) == list(range(1, 13))


async def test_what_the_governments_said_is_decided_and_made_known_if_the_gateway_could_not(desk: Desk) -> None:
    case_id, bells = await desk.authorized_case(), Bells()
    await desk.deps.inbox.receive(
        Incoming(
            source="governments",
            message_id="g-1",
            case_id=None,
            programme=PROGRAMME,
            body=ProgrammeSuspension(),
            received_at=NOON,
            sender="unsigned:governments",
        )
    )

    async def govern_now(programme: str) -> None:
        await govern(desk.deps.book, programme, desk.deps.now())

    await ring_once(desk.deps.inbox, bells, govern_now)
    assert (await desk.http.get("/v1/partners/governments/messages/g-1")).json()["answer"] == "accepted"
    await ring_once(desk.deps.inbox, bells, govern_now)
    assert [(bell.case_id, bell.message) for bell in bells.rung] == [(case_id, "programme.changed")]


async def test_the_loop_rings_what_comes_until_it_is_stopped(desk: Desk) -> None:
    bells, stopped = Bells(), asyncio.Event()
    running = asyncio.create_task(Relay(desk.deps.inbox, bells, no_governing).run(stopped))
    for number in range(3):
        await desk.filed_case(f"filing-{number}")
        await until_rung(bells, number + 1)
    stopped.set()
    await asyncio.wait_for(running, 2)
    await desk.filed_case("filing-late")
    await asyncio.sleep(0.1)
    assert bells.numbers == [1, 2, 3]


async def test_the_loop_does_not_pause_while_there_is_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "IDLE_S", 60.0)
    for number in range(9):
        await desk.filed_case(f"filing-{number}")
    bells, stopped = Bells(), asyncio.Event()
    running = asyncio.create_task(Relay(desk.deps.inbox, bells, no_governing, limit=2).run(stopped))
    await until_rung(bells, 9)
    stopped.set()
    await asyncio.wait_for(running, 2)


async def test_the_loop_outlives_an_absent_temporal_and_says_that_it_is_not_ready(desk: Desk) -> None:
    bells, stopped = Bells(away=True), asyncio.Event()
    ringing = Relay(desk.deps.inbox, bells, no_governing)
    running = asyncio.create_task(ringing.run(stopped))
    await desk.filed_case()
    await asyncio.sleep(0.3)
    assert not ringing.ready
    bells.away = False
    await later(desk, 31)
    await until_rung(bells, 1)
    await asyncio.sleep(0.05)
    assert ringing.ready
    stopped.set()
    await asyncio.wait_for(running, 2)


async def test_the_process_waits_for_temporal_rings_and_ends_in_order(
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
        sys.executable, "-P", "-m", "gateway.relay", env=environment, cwd=tmp_path, stdout=PIPE, stderr=STDOUT
    )
    assert process.stdout is not None
    try:
        said = await asyncio.wait_for(process.stdout.readuntil(b"ringing failed"), 30)
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
