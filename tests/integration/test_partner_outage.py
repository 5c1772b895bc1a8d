"""A partner dies under many cases and comes back: the real workers, database and Temporal; partners in memory."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.notify import PendingNotification, notify
from activities.partners.agreements import read_agreements
from activities.partners.circuit import GuardedPartners
from activities.partners.errors import PartnerUnavailable
from cases.clock import ScaledClock
from cases.inbound.senders import ANYBODY
from eventstore.partner_calls import CircuitTerms
from relay.relay import notify_once
from tests.support.gateway import NOON, Desk, gateway_desk
from tests.support.memory_partners import MemoryPartners
from worker import case_workers

CASES = 12
TERMS = CircuitTerms(
    failures_max=4, pause_first=timedelta(seconds=2), pause_max=timedelta(seconds=4), turn=timedelta(seconds=2)
)


@dataclass
class Outage:
    """The whole of Passage in this process, and partners that can be dead."""

    desk: Desk
    partners: MemoryPartners
    environment: WorkflowEnvironment

    def kill(self) -> None:
        self.partners.fail_next(*(PartnerUnavailable("sponsor_registry", "timeout") for _ in range(10_000)))

    def revive(self) -> None:
        self.partners.recover("sponsor_registry")

    async def file(self, number: int) -> str:
        passport = {"number": f"V{number}", "issuing_country": "VEN", "issued_on": "2021-03-01"}
        return await self.desk.filed_case(
            f"filing-{number}", given_names=f"Ana {number}", passport={**passport, "expires_on": "2026-03-01"}
        )

    async def relay(self) -> None:
        """Notifies for ever, as the relay does."""

        async def tell(notifications: Iterable[PendingNotification]) -> None:
            await notify(self.environment.client, notifications, self.desk.deps.cases.has_closed)

        async def handle_programme(_: str) -> None:
            return

        while True:
            await notify_once(self.desk.deps.inbox, tell, handle_programme)
            await asyncio.sleep(0.05)

    async def until(self, reached: str, wanted: Any, seconds: float = 30) -> None:
        """Wait until a query of one figure gives what is wanted."""
        async with asyncio.timeout(seconds):
            while await self.desk.database.fetchval(reached) != wanted:  # noqa: ASYNC110  a database gives no event
                await asyncio.sleep(0.05)


@pytest.fixture
async def outage(database_url: str, tmp_path: Path, dev_server: WorkflowEnvironment) -> AsyncIterator[Outage]:
    async with gateway_desk(database_url, tmp_path / "keys") as desk, AsyncExitStack() as stack:
        partners = MemoryPartners(lambda: datetime.now(UTC))
        guarded = GuardedPartners(partners.clients(), desk.store.circuits(TERMS))
        backing = replace(desk.backing, clock=ScaledClock(NOON, datetime.now(UTC), 1.0))
        for worker in case_workers(dev_server.client, backing, guarded, read_agreements(), ANYBODY):
            await stack.enter_async_context(worker)
        outage = Outage(desk, partners, dev_server)
        relaying = asyncio.create_task(outage.relay())
        yield outage
        relaying.cancel()
        async for run in dev_server.client.list_workflows("ExecutionStatus = 'Running'"):
            await dev_server.client.get_workflow_handle(run.id).terminate(reason="the test is over")


ACCEPTED = "SELECT count(*) FROM passage.outbound_call WHERE accepted_at IS NOT NULL"
OWED = "SELECT count(*) FROM passage.outbound_call WHERE accepted_at IS NULL AND dropped_at IS NULL"
PAUSED = "SELECT count(*) FROM passage.partner_circuit WHERE paused_until IS NOT NULL"


@pytest.mark.slow  # calls that failed are made again after five and ten seconds, by the workflow's own policy
async def test_a_dead_partner_is_left_alone_blocks_nobody_and_gets_all_it_is_owed_when_it_is_back(
    outage: Outage,
) -> None:
    outage.kill()
    case_ids = [await outage.file(number) for number in range(CASES)]
    await outage.until(OWED, CASES)
    await outage.until(PAUSED, 1)
    await asyncio.sleep(6)  # by the calls' own policy each case would have called three times by now
    reached = len(outage.partners.calls)

    await outage.desk.send("applicant", "w-1", {"case": case_ids[0], "message": "application.withdrawn"})
    await asyncio.wait_for(outage.environment.client.get_workflow_handle(case_ids[0]).result(), timeout=5)
    outage.revive()
    await outage.until(ACCEPTED, CASES - 1, seconds=60)

    assert reached < CASES * 2
    assert await outage.desk.database.fetchval(PAUSED) == 0
    taken = [each.case_id for each in outage.partners.taken]
    assert sorted(taken) == sorted(case_ids[1:])
