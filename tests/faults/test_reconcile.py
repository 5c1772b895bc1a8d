"""Temporal's histories against the log of a whole stack: work of every kind is not accused, a deleted event is."""

import asyncio
import json
from functools import partial

import asyncpg
import pytest
from temporalio.client import Client

from audit.reconcile.log import opened_reconcile_log
from cli.audit.reconcile import reconcile_one
from process.backing import open_backing
from process.temporal import connect_temporal
from relay.histories import live_histories
from simulation.demonstration.repeat import application
from tests.support.applicants import NOBODY_ANSWERS
from tests.support.breaking import set_back, terminate
from tests.support.many_programmes import programme_named
from tests.support.performance import open_programme, until_all_closed
from tests.support.sender import senders_of
from tests.support.whole_stack import WholeStack
from workflows.contracts import Notification

KEPT_WITHIN_S = 40
"""A historian looks every 10 s, and Temporal's list lags; ten times as long as it takes."""


async def findings(stack: WholeStack, client: Client | None, *cases: str) -> list[tuple[str, str, int | None]]:
    """Code, case and version of what is found in these cases; without a client from what is kept alone."""
    found: list[tuple[str, str, int | None]] = []
    live = None if client is None else partial(live_histories, client)
    async with opened_reconcile_log(stack.settings.required_database_url, 1) as log:
        for case_id in cases:
            found += [(str(f.code), f.case_id, f.version) for f in (await reconcile_one(log, live, case_id))[0]]
    return found


async def until_kept(stack: WholeStack, cases: list[str], runs: int) -> None:
    """Until so many runs of these cases are kept with the log."""
    database = await asyncpg.connect(stack.settings.required_database_url)
    try:
        async with asyncio.timeout(KEPT_WITHIN_S):
            query = "SELECT count(*) FROM passage.run_history WHERE case_id = ANY ($1)"
            while await database.fetchval(query, cases) < runs:  # noqa: ASYNC110  a database tells nobody
                await asyncio.sleep(0.2)
    finally:
        await database.close()


async def as_superuser(stack: WholeStack, *statements: str) -> None:
    database = await asyncpg.connect(stack.settings.required_database_url)
    try:
        async with database.transaction():
            for statement in statements:
                await database.execute(statement)
    finally:
        await database.close()


@pytest.mark.slow
async def test_a_case_is_compared_with_its_histories_live_and_kept(stack: WholeStack, number: int) -> None:
    settings, programme, first = stack.settings, programme_named(number), 1000 * number
    temporal = await connect_temporal(settings, "tests")
    async with senders_of(settings, programme) as senders, open_backing(settings) as backing:
        await open_programme(backing, programme)
        await senders.script(range(first, first + 4), NOBODY_ANSWERS)
        cases = [await senders.file_and_wait(application(first + index)) for index in range(4)]
        plain, signalled, forked, restarted = cases

        assert await findings(stack, temporal, *cases) == []  # while they are under way
        await temporal.get_workflow_handle(signalled).signal(
            "sponsor.confirmed", Notification(message_id=senders.new_id())
        )
        await set_back(temporal, forked)
        await terminate(temporal, restarted)
        for case_id in (plain, forked, restarted):
            assert (await senders.say("sponsor_registry", case_id, "sponsor.not_confirmed")).answer == "accepted"
        assert (await senders.say("applicant", signalled, "application.withdrawn")).answer == "accepted"
    await until_all_closed(settings, programme)
    await until_kept(stack, cases, runs=6)

    for client in (temporal, None):
        assert await findings(stack, client, *cases) == [("fork-after-reset", forked, None)]

    event = f"stream = '{plain}' AND version = 3"
    await as_superuser(
        stack,
        "ALTER TABLE passage.events DISABLE TRIGGER ALL",
        f"CREATE TABLE public.put_back AS SELECT * FROM passage.events WHERE {event}",
        f"DELETE FROM passage.events WHERE {event}",
    )
    try:
        for client in (temporal, None):
            assert ("command-without-events", plain, 3) in await findings(stack, client, plain)
        done = await asyncio.to_thread(stack.passage, "audit", "reconcile", "--all", "--json")
    finally:  # the stack is that of other tests too
        await as_superuser(
            stack,
            "INSERT INTO passage.events SELECT * FROM public.put_back",
            "DROP TABLE public.put_back",
            "ALTER TABLE passage.events ENABLE ALWAYS TRIGGER append_only",
        )
    *lines, counts = (json.loads(line) for line in done.stdout.splitlines())
    faults = [each["finding"] for each in lines if each["finding"]["fault"]]
    assert [each["code"] for each in faults if each["case_id"] in cases] == ["command-without-events"]
    assert (done.returncode, counts["reconciled"]["faults"]) == (1, len(faults))
    assert await findings(stack, temporal, plain) == []
