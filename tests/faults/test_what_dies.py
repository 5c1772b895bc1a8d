"""Whatever dies in the middle of it all, every case ends as it would have, and no event is lost or doubled."""

import asyncio

import pytest

from tests.support.breaking import BREAKING, running_cases
from tests.support.fault_script import PLACES, script
from tests.support.invariants import partner_faults, reading, receipt_faults
from tests.support.performance import Breaking, Performance
from tests.support.whole_stack import WholeStack
from worker import connect_temporal

SETTLE_S = 75.0
"""A worker that died with an activity in hand is noticed after a minute."""


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("breaking", BREAKING.values(), ids=BREAKING.keys())
async def test_every_case_ends_as_it_would_have(stack: WholeStack, number: int, breaking: Breaking) -> None:
    performance = Performance(stack, script(first_person=1000 * number), f"breaking-{number}")
    await performance.play(breaking, PLACES)

    assert "\n".join(performance.differences) == ""
    await nothing_runs_any_more(stack)
    async with reading(stack.settings) as log:
        assert await log.faults() == []
        assert list(receipt_faults(performance.ledger.receipts, log.inbox)) == []
        assert list(partner_faults(stack.data_dir / "simulators" / "partners.sqlite3", log)) == []


async def nothing_runs_any_more(stack: WholeStack) -> None:
    """A closed case has no workflow left."""
    client = await connect_temporal(stack.settings, "tests")
    async with asyncio.timeout(SETTLE_S):
        while await running_cases(client):  # noqa: ASYNC110  what happens in another process gives no event
            await asyncio.sleep(0.2)
