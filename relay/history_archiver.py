"""The history archiver stores the history of each ended run of a case before Temporal deletes it.

Temporal keeps a run for days, an audit asks for years. A case may have several runs: it continues as new, is reset, or
is started anew; each is kept when it ends. History and event are one transaction, under an id made of the run's: any
number of archivers may run, and may die at any point.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts import CASE_WORKFLOW
from domain.access import HistoryStored
from domain.kernel.ids import CommandId
from domain.kernel.proof import CLOCK
from eventstore.access import AccessRecord
from eventstore.conflicts import CommandContentDiffers
from eventstore.format.envelope import machine_clock
from eventstore.format.histories import HistoryTooLarge, pack
from eventstore.port import EventStore
from relay.histories import read_history

_log = structlog.get_logger()

ARCHIVE_PERIOD_S: Final = 10.0
"""Period of the looks for ended runs. One that finds nothing costs one page of Temporal's list."""
LOOK_BACK: Final = timedelta(minutes=10)
"""Overlap of consecutive looks: Temporal's list lags by moments, and clocks differ."""
WHOLE_EVERY: Final = timedelta(hours=6)
"""Period of the looks at everything that Temporal still has, the first at the start: they find what was missed while
no archiver ran. Far below the 30 days for which Temporal keeps a run."""
BATCH: Final = 100
AT_ONCE: Final = 4
"""Histories read concurrently: enough to hide round trips, few enough not to slow down notifications."""

_ENDED: Final = f"WorkflowType = '{CASE_WORKFLOW}' AND ExecutionStatus != 'Running'"


@dataclass(slots=True)
class HistoryArchiver:
    """Remembers when it looked last; losing that costs one full look. `now` gives domain time."""

    connect: Callable[[], Awaitable[Client]]
    store: EventStore
    now: Callable[[], datetime]
    clock: Callable[[], datetime] = machine_clock
    _looked: datetime | None = field(default=None, init=False)
    _went_through_all: datetime | None = field(default=None, init=False)

    async def look(self) -> int:
        """Store what ended since the last look, or now and then all that Temporal has, and return how many.

        Raises as `store_ended`: then the next look begins where this one did.
        """
        began, since = self.clock(), None
        all_of_it = self._went_through_all is None or began - self._went_through_all >= WHOLE_EVERY
        if self._looked is not None and not all_of_it:
            since = self._looked - LOOK_BACK
        stored = await store_ended(await self.connect(), self.store, self.now, since)
        self._looked = began
        if all_of_it:
            self._went_through_all = began
        return stored


async def store_ended(
    client: Client, store: EventStore, now: Callable[[], datetime], since: datetime | None = None
) -> int:
    """Store every run that ended since `since`, by Temporal's clock, and is not stored yet; return how many.

    Raises:
        RPCError: Temporal cannot be reached; what was stored stays so.
        StoreUnavailable: the database cannot be reached.
    """
    stored = 0
    async for batch in _batches(client, since):
        kept = await store.access.kept([execution.run_id for execution in batch])
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(execution: WorkflowExecution, slots: asyncio.Semaphore = slots) -> bool:
            async with slots:
                return await _store(client, store, execution.id, execution.run_id, now())

        stored += sum(await asyncio.gather(*(one(each) for each in batch if each.run_id not in kept)))
    return stored


async def _batches(client: Client, since: datetime | None) -> AsyncIterator[list[WorkflowExecution]]:
    query = _ENDED if since is None else f"{_ENDED} AND CloseTime >= '{since.astimezone(UTC).isoformat()}'"
    batch: list[WorkflowExecution] = []
    async for execution in client.list_workflows(query, page_size=BATCH):
        batch.append(execution)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _store(client: Client, store: EventStore, case_id: str, run_id: str, at: datetime) -> bool:
    summary = await store.summary(case_id)
    if summary is None:
        return False  # nobody filed it: an id that was started by hand, or a filing that is still undecided
    log = _log.bind(case_id=case_id, run_id=run_id)
    try:
        packed = pack(await read_history(client, case_id, run_id))
    except HistoryTooLarge as error:
        log.error("history not stored", code=error.code, alarm=True)  # noqa: TRY400  its place says nothing
        return False
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        log.warning("history not stored", code="history-gone")  # Temporal deleted it since it listed it
        return False
    event = HistoryStored(at=at, case=case_id, run=run_id, history_sha256=packed.sha256, history_bytes=packed.size)
    record = AccessRecord(
        programme=summary.programme,
        command_id=CommandId(f"history:{run_id}"),
        proof=CLOCK,
        events=(event,),
        history=packed.content,
    )
    try:
        await store.access.record(record)
    except CommandContentDiffers:
        log.info("history stored by another", code="history-written-otherwise")  # by another version of Temporal's SDK
        return False
    return True
