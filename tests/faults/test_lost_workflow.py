"""A case that waits for people loses its workflow, and nothing would signal it: it comes back from the log."""

import asyncio
import contextlib

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from process.backing import open_backing
from process.temporal import connect_temporal
from simulation.demonstration.repeat import application
from tests.support.applicants import NOBODY_ANSWERS
from tests.support.breaking import delete, terminate
from tests.support.invariants import reading
from tests.support.many_programmes import programme_named
from tests.support.performance import open_programme, until_all_closed
from tests.support.sender import senders_of
from tests.support.whole_stack import WholeStack

SWEPT_WITHIN_S = 90
"""The relay sweeps every 30 s."""
STARTED = "was started: it goes on from the log"
HAS_ONE = "has a running workflow already; --replace ends that run and begins again from the log"


async def run_of(client: Client, case_id: str, *, other_than: str = "") -> str:
    """The id of a running run of the case, once there is one; `other_than` a run that is over."""
    async with asyncio.timeout(SWEPT_WITHIN_S):
        while True:
            with contextlib.suppress(RPCError):  # not found
                found = await client.get_workflow_handle(case_id).describe()
                if found.status is WorkflowExecutionStatus.RUNNING and found.run_id != other_than:
                    return found.run_id
            await asyncio.sleep(0.1)


def restart(stack: WholeStack, case_id: str, *options: str) -> str:
    """What `passage case restart` says."""
    done = stack.passage("case", "restart", case_id, *options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.mark.slow
async def test_a_case_without_a_workflow_gets_one(stack: WholeStack, number: int) -> None:
    settings, programme, first = stack.settings, programme_named(number), 1000 * number
    temporal = await connect_temporal(settings, "tests")
    async with senders_of(settings, programme) as senders, open_backing(settings) as backing:
        await open_programme(backing, programme)
        await senders.script(range(first, first + 4), NOBODY_ANSWERS)
        cases = [await senders.file(application(first + index)) for index in range(4)]
        runs = {case_id: await run_of(temporal, case_id) for case_id in cases}
        terminated, deleted, swept, kept = cases

        await terminate(temporal, terminated)
        await delete(temporal, deleted)
        for case_id in (terminated, deleted):  # the relay's sweep may have been first
            assert await asyncio.to_thread(restart, stack, case_id) in (f"{case_id} {STARTED}", f"{case_id} {HAS_ONE}")
        assert await asyncio.to_thread(restart, stack, kept) == f"{kept} {HAS_ONE}"
        assert await asyncio.to_thread(restart, stack, kept, "--replace") == f"{kept} {STARTED}"
        await terminate(temporal, swept)
        for case_id in cases:
            assert await run_of(temporal, case_id, other_than=runs[case_id])
        for case_id in cases:
            answer = await senders.say("sponsor_registry", case_id, "sponsor.not_confirmed")
            assert answer.answer == "accepted"

    await until_all_closed(settings, programme)
    async with reading(settings) as log:
        assert {log.heads[case_id]["outcome"] for case_id in cases} == {"not_confirmed"}
        assert await log.faults() == []
