"""Several workers on the same cases; one dies and one hangs, each in the middle of an append."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import psutil
import pytest

from process.backing import open_backing
from simulation.demonstration.repeat import application
from tests.support.applicants import PROMPT
from tests.support.invariants import PartnersBooks, partner_faults, reading, receipt_faults
from tests.support.many_programmes import programme_named
from tests.support.performance import open_programme, until_all_closed
from tests.support.sender import Senders, senders_of
from tests.support.whole_stack import WholeStack

CASES = 12
CASES_MAX = 60
"""Who takes a task is the server's to say: these are filed until each worker has one under way."""
HELD_WITHIN_S = 10
TAKEN_OVER_WITHIN_S = 180
"""A minute until the server gives up on an activity, and then the work itself."""

_WAITING = """
SELECT client_port FROM pg_stat_activity
WHERE application_name = 'passage' AND wait_event_type = 'Lock' AND wait_event = 'advisory'
"""
"""Nothing else of the programme waits for this lock while an append holds it up."""
_AUTHORIZED = "SELECT count(facts ->> 'authorized_last_day') FROM passage.case_head WHERE programme = $1"


@asynccontextmanager
async def appends_held_up(database: asyncpg.Connection, programme: str) -> AsyncIterator[None]:
    """Every append to a case of the programme waits, under way in the database."""
    async with database.transaction():
        await database.execute("SELECT pg_advisory_xact_lock(1, hashtext($1))", programme)
        yield


async def file_until_each_appends(senders: Senders, database: asyncpg.Connection, first: int, pids: list[int]) -> int:
    """How many cases were filed until an append of each of these processes waited."""
    for filed in range(CASES, CASES_MAX + 1, CASES):
        people = range(first + filed - CASES, first + filed)
        await asyncio.gather(*(senders.file(application(person)) for person in people))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HELD_WITHIN_S):
                while not await each_appends(database, pids):  # noqa: ASYNC110  a database tells nobody
                    await asyncio.sleep(0.05)
                return filed
    raise AssertionError("one worker takes everything")


async def each_appends(database: asyncpg.Connection, pids: list[int]) -> bool:
    waiting = {row["client_port"] for row in await database.fetch(_WAITING)}
    return all(waiting & ports_of(pid) for pid in pids)


def ports_of(pid: int) -> set[int]:
    return {each.laddr.port for each in psutil.Process(pid).net_connections(kind="tcp")}


@pytest.mark.slow
async def test_one_dies_and_one_hangs_in_the_middle_of_an_append(stack: WholeStack, number: int) -> None:
    settings, programme, first = stack.settings, programme_named(number), 1000 * number
    database = await asyncpg.connect(settings.required_database_url)
    async with senders_of(settings, programme) as senders, open_backing(settings) as backing:
        await open_programme(backing, programme)
        await senders.script(range(first, first + CASES_MAX), PROMPT)
        with stack.another_worker("worker-that-dies") as dies, stack.another_worker("worker-that-hangs") as hangs:
            async with appends_held_up(database, programme):
                watching = await asyncpg.connect(settings.required_database_url)
                workers = [stack.pids["worker"], dies.pid, hangs.pid]
                filed = await file_until_each_appends(senders, watching, first, workers)
                dies.kill()
                os.kill(hangs.pid, signal.SIGSTOP)
            await until_authorized(watching, programme, filed)
            os.kill(hangs.pid, signal.SIGCONT)
            await asyncio.sleep(2)  # it goes on where it was, a minute late
            await watching.close()
        await senders.command_programme("programme.terminated", parole_ends_on="2022-10-20")
    await database.close()

    await until_all_closed(settings, programme)
    books = PartnersBooks.of(stack.data_dir)
    async with reading(settings) as log:
        assert await log.faults() == []
        assert list(receipt_faults(senders.ledger.receipts, log.inbox)) == []
        assert list(partner_faults(books, log)) == []


async def until_authorized(database: asyncpg.Connection, programme: str, cases: int) -> None:
    async with asyncio.timeout(TAKEN_OVER_WITHIN_S):
        while await database.fetchval(_AUTHORIZED, programme) < cases:  # noqa: ASYNC110  a database tells nobody
            await asyncio.sleep(0.1)
