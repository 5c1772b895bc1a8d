"""How fast the relay drains the inbox, against how fast the same Temporal takes the same signals from a bare client.

The relay claims a batch in Postgres, signals it and claims the next; the bare client makes the same calls, as many side
by side, and knows of nothing else. They signal with start, since a plain signal to a run that has ended is lost. No
worker takes anything meanwhile.
"""

import asyncio
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
from temporalio.client import Client

from activities.notify import PendingNotification, notify
from bench.ratio import Ratio
from domain.ids import CaseId
from eventstore.inbox import Inbox
from process.bootstrap import register_search_attributes
from relay.relay import BATCH, notify_once
from stack.temporal import EmbeddedTemporal
from workflows.payloads import DATA_CONVERTER

AT_LEAST: Final = 0.9
"""As fast as Temporal takes signals, but for the claim between two batches."""
SIGNALS: Final = 10 * BATCH
"""A side and pair."""
READY_TIMEOUT_S: Final = 60.0
_SIGNAL: Final = "border.irregular_crossing"
_FILL: Final = f"""
SELECT count(passage.receive(
    c, c, NULL, 'border', 'fill-' || n, '{_SIGNAL}', 'x', 'k', sha256('x'), now(), 's', NULL, false))
FROM generate_series(1, $2::int) AS n, LATERAL (SELECT ($1::text[])[1 + n % cardinality($1::text[])]) AS of (c)
"""  # noqa: S608  made of constants
"""Nobody reads these: a case is notified by number."""


async def measure_drain(
    inbox: Inbox, database: "asyncpg.Pool[asyncpg.Record]", cases: Sequence[CaseId], folder: Path, pairs: int
) -> Ratio:
    """Fill the inbox of these filed cases, and drain as much of it for each pair, after one to warm up."""
    async with _temporal(folder) as client:
        await database.execute(_FILL, list(cases), SIGNALS * (pairs + 1))
        await _bare(client, cases, SIGNALS)
        await _drained(inbox, client, SIGNALS)
        found = [(await _drained(inbox, client, SIGNALS), await _bare(client, cases, SIGNALS)) for _ in range(pairs)]
    return Ratio("drain", "signals/s", tuple(found), AT_LEAST)


async def _drained(inbox: Inbox, client: Client, signals: int) -> float:
    async def notify_cases(notifications: Iterable[PendingNotification]) -> None:
        await notify(client, notifications, _never)

    async def nothing(_: str) -> None:
        return None

    began, notified = time.perf_counter(), 0
    while notified < signals:
        claimed = await notify_once(inbox, notify_cases, nothing)
        if claimed == 0:
            raise TimeoutError("the inbox is empty before its time")
        notified += claimed
    return notified / (time.perf_counter() - began)


async def _bare(client: Client, cases: Sequence[CaseId], signals: int) -> float:
    notifications = (PendingNotification(cases[n % len(cases)], _SIGNAL, f"bare-{n}", n + 1) for n in range(signals))
    began = time.perf_counter()
    await notify(client, notifications, _never)
    return signals / (time.perf_counter() - began)


async def _never(_: CaseId) -> bool:
    return False


@asynccontextmanager
async def _temporal(folder: Path) -> AsyncIterator[Client]:
    """A server of its own, which knows what a case sets."""
    server = EmbeddedTemporal(folder)
    launch = server.prepare()
    process = await asyncio.create_subprocess_exec(
        *launch.argv, cwd=launch.directory, env=launch.environment, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            while not await server.ready():  # noqa: ASYNC110  a server tells nobody
                await asyncio.sleep(0.1)
        client = await Client.connect(server.address, data_converter=DATA_CONVERTER)
        await register_search_attributes(client)
        yield client
    finally:
        process.terminate()
        await process.wait()
