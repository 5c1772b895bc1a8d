"""`passage bench append`: two-event appends/s against single-row INSERTs, fsync on, 16 connections.

The append is the ordinary one of a running case: an encrypted event and a plain one, chained and hashed, the head and
its summary, the unsealed row, the programme's version re-checked under lock. The floor is one row of the size of one
event into a table with the same primary key, over as many connections of the same driver.
"""

import asyncio
import hashlib
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from bench.ratio import Ratio
from domain import registry
from domain.humanitarian_parole.application import ERASED_APPLICATION
from domain.humanitarian_parole.stages.entry import EntryVerified
from domain.humanitarian_parole.stages.filing import ApplicationFiled
from domain.humanitarian_parole.stages.travel import ALLOTMENT as AIR
from domain.humanitarian_parole.stages.vetting import VettingRequested
from domain.kernel.events import Basis, RuleResult
from domain.kernel.ids import CommandId, case_id_from_entropy
from domain.kernel.programme import open_programme
from domain.kernel.proof import claimed
from eventstore.format.envelope import NO_HASH
from eventstore.keys import DirectoryKeyStore
from eventstore.places import Pool
from eventstore.port import Append, ReadAt
from eventstore.postgres.migrate import migrate
from eventstore.postgres.store import PostgresStore
from eventstore.summary import CaseSummary, ProgrammeSummary
from stack.postgres.server import EmbeddedPostgres

CONNECTIONS = 16
CASES = 800 * CONNECTIONS
"""So many that they stay as long as cases are, some dozen events: what is no message is looked for in its stream."""
FLOOR = "CREATE TABLE floor (stream text, version integer, body bytea, PRIMARY KEY (stream, version))"
AT_LEAST = 0.30
_PROGRAMME = "venezuela-air"
_AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
_DIGEST = "ab" * 32
_BASIS = Basis(
    rules_version="2022-10-19",
    rules_digest=_DIGEST,
    programme_version=1,
    decided_at=_AT,
    results=(RuleResult(rule="mexico-entry", result="passed", because="before-the-cutoff"),),
)


async def measure(pairs: int = 5, seconds: float = 3.0) -> Ratio:
    """Run the pairs on an embedded server of its own; about `2 * pairs * seconds` long."""
    with tempfile.TemporaryDirectory(prefix="passage-bench-") as folder:
        async with EmbeddedPostgres(Path(folder) / "postgres") as server:
            url = await server.ensure_database("passage")
            await migrate(url)
            store = await PostgresStore.connect(url, DirectoryKeyStore(Path(folder) / "keys"), connections=CONNECTIONS)
            pool = await asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS)
            try:
                return await _alternate(store, pool, pairs, seconds)
            finally:
                await pool.close()
                await store.close()


async def _alternate(store: PostgresStore, pool: "asyncpg.Pool[asyncpg.Record]", pairs: int, seconds: float) -> Ratio:
    cases = await open_cases(store)
    await pool.execute(FLOOR)
    rows = [PlainRow(pool, case.stream) for case in cases]
    await rate([case.append for case in cases], 1.0)
    await rate([row.insert for row in rows], 1.0)
    found = []
    for _ in range(pairs):
        ours = await rate([case.append for case in cases], seconds)
        theirs = await rate([row.insert for row in rows], seconds)
        found.append((ours, theirs))
    return Ratio("append", "operations/s", tuple(found), AT_LEAST)


async def rate(operations: list[Callable[[], Awaitable[None]]], seconds: float) -> float:
    """Operations a second, each of `CONNECTIONS` at work on operations of its own, of which it does at least one."""
    end = time.perf_counter() + seconds

    async def work(mine: list[Callable[[], Awaitable[None]]]) -> int:
        done = 0
        while not done or time.perf_counter() < end:
            await mine[done % len(mine)]()
            done += 1
        return done

    began = time.perf_counter()
    done = await asyncio.gather(*(work(operations[n::CONNECTIONS]) for n in range(CONNECTIONS)))
    return sum(done) / (time.perf_counter() - began)


@dataclass(slots=True)
class PlainRow:
    """The floor: a stream of rows of the size of an event, one an INSERT."""

    pool: "asyncpg.Pool[asyncpg.Record]"
    stream: str
    version: int = 0

    async def insert(self) -> None:
        """Insert the next."""
        self.version += 1
        await self.pool.execute("INSERT INTO floor VALUES ($1, $2, $3)", self.stream, self.version, os.urandom(600))


@dataclass(slots=True)
class GrowingCase:
    """A case that two more events are appended to, again and again."""

    store: PostgresStore
    stream: str
    version: int = 0
    hash: bytes = NO_HASH

    async def append(self) -> None:
        """Append the next two."""
        command = f"entry_records:{self.stream}-{self.version}"
        events = (
            EntryVerified(at=_AT, basis=_BASIS, by="records", entered_at=_AT, place="Tapachula", manner="regular"),
            VettingRequested(at=_AT, request_id=f"{self.stream}:{self.version}"),
        )
        if self.version == 0:
            events = (_filed(), *events)  # type: ignore[assignment]  # the first append of a case
        done = await self.store.append(
            Append(
                stream=self.stream,
                programme=_PROGRAMME,
                command_id=CommandId(command),
                message_digest=hashlib.sha256(command.encode()).digest(),
                expected_version=self.version,
                previous_hash=self.hash,
                events=events,
                proof=claimed("entry_records"),
                now=_AT,
                rules_digest=_DIGEST,
                summary=_summary(self.stream),
                read_at=ReadAt(programme_version=1),
            )
        )
        self.version, self.hash = done.version, done.hash


def _filed() -> ApplicationFiled:
    return ApplicationFiled(
        at=_AT,
        programme=_PROGRAMME,
        rules_version="2022-10-19",
        rules_digest=_DIGEST,
        application=ERASED_APPLICATION,
    )


def _summary(case_id: str) -> CaseSummary:
    return CaseSummary(
        case_id=case_id,
        programme=_PROGRAMME,
        rules_version="2022-10-19",
        stage="security_vetting",
        waiting_on="vetting",
        since=_AT,
        filed_at=_AT,
    )


async def open_cases(store: PostgresStore, count: int = CASES) -> list[GrowingCase]:
    """A programme, and so many cases of three events each."""
    [opened] = open_programme(registry.programme(_PROGRAMME).sets["2022-10-19"], None, _AT)
    await store.append(
        Append(
            stream=_PROGRAMME,
            programme=_PROGRAMME,
            command_id=CommandId("passage:open"),
            message_digest=bytes(32),
            expected_version=0,
            previous_hash=NO_HASH,
            events=(opened,),
            proof=claimed("governments"),
            now=_AT,
            summary=ProgrammeSummary(_PROGRAMME, "open", "2022-10-19", {AIR: Pool(_PROGRAMME, 24000, "total")}),
        )
    )
    cases = [GrowingCase(store, case_id_from_entropy("VEN", os.urandom(8))) for _ in range(count)]
    await asyncio.gather(*(case.append() for case in cases))
    return cases
