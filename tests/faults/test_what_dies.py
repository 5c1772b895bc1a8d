"""Whatever dies in the middle of it all, every case ends as it would have, and no event is lost or doubled."""

import asyncio
from functools import partial

import pytest

from audit.reconcile.log import opened_reconcile_log
from cli.audit.reconcile import reconcile_one
from process.temporal import connect_temporal
from relay.histories import live_histories
from tests.support.breaking import BREAKING, running_cases
from tests.support.fault_script import PLACES, script
from tests.support.invariants import PartnersBooks, partner_faults, reading, receipt_faults
from tests.support.many_programmes import programme_named
from tests.support.performance import Breaking, Performance, until_all_closed
from tests.support.whole_stack import WholeStack

SETTLE_S = 120.0
"""A worker that died with an activity in hand is noticed after a minute."""


@pytest.mark.slow
@pytest.mark.parametrize("breaking", BREAKING.values(), ids=BREAKING.keys())
async def test_every_case_ends_as_it_would_have(stack: WholeStack, number: int, breaking: Breaking) -> None:
    performance = Performance(stack, script(first_person=1000 * number), programme_named(number))
    await performance.play(breaking, PLACES)

    assert "\n".join(performance.differences) == ""
    await until_all_closed(stack.settings, performance.programme)
    await nothing_runs_any_more(stack, performance.case_ids)
    books = PartnersBooks.of(stack.data_dir)
    async with reading(stack.settings) as log:
        assert await log.faults() == []
        assert list(receipt_faults(performance.ledger.receipts, log.inbox)) == []
        assert list(partner_faults(books, log)) == []
    await asyncio.to_thread(the_log_verifies, stack)
    assert await reconciled(stack, performance.case_ids) - {"run-missing"} == set()


async def reconciled(stack: WholeStack, cases: set[str]) -> set[str]:
    """The kinds of fault that Temporal's histories show. What was deleted there is gone, and may be said to be."""
    client = await connect_temporal(stack.settings, "tests")
    found: set[str] = set()
    async with opened_reconcile_log(stack.settings.required_database_url, 1) as log:
        for case_id in cases:
            findings, _ = await reconcile_one(log, partial(live_histories, client), case_id)
            found |= {str(finding.code) for finding in findings if finding.is_fault}
    return found


def the_log_verifies(stack: WholeStack) -> None:
    """The auditor's own reader agrees, and the seal has kept up."""
    verified = stack.passage("audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


async def nothing_runs_any_more(stack: WholeStack, cases: set[str]) -> None:
    """A closed case has no workflow left."""
    client = await connect_temporal(stack.settings, "tests")
    async with asyncio.timeout(SETTLE_S):
        while await running_cases(client) & cases:  # noqa: ASYNC110  what happens in another process gives no event
            await asyncio.sleep(0.2)
