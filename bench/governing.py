"""`passage bench governing`: what the governments and those on call do with a programme of real size.

Heads are made in the database, and cases of our own append all the while: how long until no case can decide under the
old state, how long any of their appends took meanwhile, how fast the open cases are notified, and what looks at all of
them cost.
"""

import asyncio
import math
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from bench.places import NoKeyFiles, open_with
from domain.humanitarian_parole.application import ERASED_APPLICATION
from domain.humanitarian_parole.stages.filing import ApplicationFiled
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmed
from domain.humanitarian_parole.stages.travel import ALLOTMENT as AIR
from domain.kernel.events import CaseEvent
from domain.kernel.ids import CommandId, case_id_from_entropy
from domain.kernel.programme import ProgrammeSuspended
from domain.kernel.proof import claimed
from eventstore.conflicts import ProgrammeConflict
from eventstore.format.envelope import NO_HASH
from eventstore.operations import DeliveryFilter
from eventstore.places import AllotPlaces, Pool
from eventstore.port import Append, ReadAt
from eventstore.postgres.migrate import migrate
from eventstore.postgres.store import PostgresStore
from eventstore.summary import CaseSummary, ProgrammeSummary
from stack.postgres.server import EmbeddedPostgres

OPEN: Final = 1_000_000
SWEPT: Final = 400_000
_APPENDERS: Final = 4
_PROGRAMME: Final = "venezuela-air"
_RULES: Final = "2022-10-19"
_AT: Final = datetime(2022, 10, 20, 12, tzinfo=UTC)
_DIGEST: Final = "ab" * 32
_HEADS: Final = """
INSERT INTO passage.case_head (case_id, programme, version, hash, filed_number, rules_version, stage, waiting_on, since,
                               filed_at, facts, flags, closed, held)
SELECT 'bench-' || n, $1, 1, sha256(n::text::bytea), 1000000000 + n, $2, 'sponsor_confirmation', 'applicant',
       $3::timestamptz + n * interval '1 second', $3, '{}', '{}', false, false
FROM generate_series($4::bigint, $5::bigint) AS n
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One number against its budget."""

    name: str
    value: float
    unit: str
    at_most: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the budget, if there is one, holds."""
        return self.at_most is None or self.value <= self.at_most


@dataclass(frozen=True, slots=True)
class Governing:
    """What was measured with so many open cases."""

    cases: int
    swept: int
    figures: tuple[Measured, ...]

    @property
    def is_met(self) -> bool:
        """Whether every budget holds."""
        return all(figure.is_met for figure in self.figures)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        figures = {f"{each.name.replace(' ', '_')}_{each.unit.split('/')[0]}": each.value for each in self.figures}
        return {"name": "governing", "cases": self.cases, "swept": self.swept, "met": self.is_met, **figures}

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"governing, {self.cases:,} open cases, the sweep with {self.swept:,}"
        for each in self.figures:
            budget = "" if each.at_most is None else f"  (at most {each.at_most:g} {each.unit})"
            yield f"  {each.name:34}{each.value:12.3f} {each.unit}{budget}{'' if each.is_met else '  NOT MET'}"


async def measure(cases: int = OPEN, swept: int | None = None) -> Governing:
    """Run on an embedded server of its own; a million cases need 3 GB of disk and some ten minutes."""
    swept = min(cases, SWEPT) if swept is None else swept
    with tempfile.TemporaryDirectory(prefix="passage-bench-") as folder:
        async with EmbeddedPostgres(Path(folder) / "postgres") as server:
            url = await server.ensure_database("passage")
            await migrate(url)
            store = await PostgresStore.connect(url, NoKeyFiles())
            by_hand = await asyncpg.connect(url, command_timeout=600)
            try:
                await open_with(store, 24_000)
                await _make_heads(by_hand, 1, swept)
                sweep = await _sweep(store)
                await _make_heads(by_hand, swept + 1, cases)
                figures = [sweep, *await _suspension(store, cases), *await _looks(store, by_hand, cases)]
            finally:
                await by_hand.close()
                await store.close()
    return Governing(cases, swept, tuple(figures))


async def _make_heads(by_hand: asyncpg.Connection, first: int, last: int) -> None:
    if last >= first:
        await by_hand.execute(_HEADS, _PROGRAMME, _RULES, _AT, first, last)
    await by_hand.execute("VACUUM ANALYZE passage.case_head")
    await by_hand.execute("CHECKPOINT")


async def _sweep(store: PostgresStore) -> Measured:
    began = time.perf_counter()
    found = [each async for each in store.stuck_candidates()]
    return Measured(f"one look of the sweep ({len(found):,})", time.perf_counter() - began, "s", 3)


async def _suspension(store: PostgresStore, cases: int) -> list[Measured]:
    load = _Load(store)
    async with asyncio.TaskGroup() as group:
        for number in range(_APPENDERS):
            group.create_task(load.work(number))
        await asyncio.sleep(2)
        calm_ms = load.longest_ms
        load.longest_ms = 0.0
        load.began = time.perf_counter()
        notified = len(await _suspend(store))
        answered_s = time.perf_counter() - load.began
        while written := len(await store.inbox.write_notices(1)):
            notified += written
        all_s = time.perf_counter() - load.began
        load.stopped = True
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Measured("until no case can decide", load.refused_s or math.inf, "s", 1),
        Measured("until the governments are answered", answered_s, "s"),
        Measured(f"until {notified:,} are notified", all_s, "s"),
        Measured("cases left out", float(cases + _APPENDERS - notified), "cases", 0),
        Measured("longest append before", calm_ms, "ms"),
        Measured("longest append meanwhile", load.longest_ms, "ms", 100),
        Measured("peak memory of this process", peak_mb, "MB", 500),
    ]


async def _looks(store: PostgresStore, by_hand: asyncpg.Connection, cases: int) -> list[Measured]:
    await by_hand.execute("UPDATE passage.notification SET notified_at = clock_timestamp()")
    await by_hand.execute("VACUUM ANALYZE passage.notification")
    idle = [await _took_ms(store.inbox.claim_notifications(100)) for _ in range(5)]
    newest = [await _took_ms(store.deliveries.find(DeliveryFilter())) for _ in range(5)]
    return [
        Measured(f"idle look over {cases:,} untaken", sorted(idle)[2], "ms"),
        Measured("the newest 50 deliveries", sorted(newest)[2], "ms"),
    ]


async def _took_ms(work: Any) -> float:
    began = time.perf_counter()
    await work
    return (time.perf_counter() - began) * 1000


async def _suspend(store: PostgresStore) -> tuple[Any, ...]:
    programme = await store.load(_PROGRAMME)
    appended = await store.append(
        Append(
            stream=_PROGRAMME,
            programme=_PROGRAMME,
            command_id=CommandId("governments:suspend"),
            message_digest=bytes(32),
            expected_version=programme.version,
            previous_hash=programme.hash,
            events=(ProgrammeSuspended(at=_AT),),
            proof=claimed("governments"),
            now=_AT,
            summary=ProgrammeSummary(_PROGRAMME, "suspended", _RULES, {AIR: Pool(_PROGRAMME, 24_000, "total")}),
            place=AllotPlaces("2022-10"),
            notifies="all",
        )
    )
    return appended.notifications


@dataclass(slots=True)
class _Load:
    """Cases that append one event after another, each decided under the programme's version as it was last read."""

    store: PostgresStore
    began: float = 0.0
    longest_ms: float = 0.0
    refused_s: float | None = None
    """From the suspension's begin until a case was refused that had read the programme before it."""
    stopped: bool = field(default=False)

    async def work(self, number: int) -> None:
        """Append until `stopped`."""
        case_id = case_id_from_entropy("VEN", number.to_bytes(8))
        version, previous, read = 0, NO_HASH, 1
        while not self.stopped:
            event = _filed() if version == 0 else SponsorConfirmed(at=_AT)
            began = time.perf_counter()
            try:
                done = await self.store.append(_append(case_id, version, previous, event, read))
            except ProgrammeConflict:
                read += 1
                if self.refused_s is None:
                    self.refused_s = time.perf_counter() - self.began
            else:
                version, previous = done.version, done.hash
            self.longest_ms = max(self.longest_ms, (time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.005)


def _filed() -> ApplicationFiled:
    return ApplicationFiled(
        at=_AT, programme=_PROGRAMME, rules_version=_RULES, rules_digest=_DIGEST, application=ERASED_APPLICATION
    )


def _append(case_id: str, version: int, previous: bytes, event: CaseEvent, read: int) -> Append:
    return Append(
        stream=case_id,
        programme=_PROGRAMME,
        command_id=CommandId(f"bench:{case_id}-{version}"),
        message_digest=bytes(32),
        expected_version=version,
        previous_hash=previous,
        events=(event,),
        proof=claimed("bench"),
        now=_AT,
        rules_digest=_DIGEST,
        summary=CaseSummary(case_id, _PROGRAMME, _RULES, "sponsor_confirmation", "sponsor", _AT, _AT),
        read_at=ReadAt(programme_version=read),
    )
