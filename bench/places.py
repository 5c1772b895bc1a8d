"""`passage bench places`: 24,000 places claimed by more cases than there are, at once, over 16 connections.

Exactly so many are given out: the counter, the heads and what the claimants were told agree. The rate is that of claims
against the same append without a place, by the same cases, in alternated slices.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from bench.ratio import Ratio
from domain import registry
from domain.humanitarian_parole.application import ERASED_APPLICATION
from domain.humanitarian_parole.stages.filing import ApplicationFiled
from domain.humanitarian_parole.stages.travel import ALLOTMENT as AIR
from domain.humanitarian_parole.stages.travel import TravelAuthorized
from domain.kernel.events import Basis, CaseEvent, RuleResult
from domain.kernel.ids import CommandId, case_id_from_entropy
from domain.kernel.programme import open_programme
from domain.kernel.proof import claimed
from eventstore.conflicts import NoPlace
from eventstore.format.envelope import NO_HASH
from eventstore.keys import CaseKey
from eventstore.places import Pool, TakePlace
from eventstore.port import Append, ReadAt
from eventstore.postgres.migrate import migrate
from eventstore.postgres.store import PostgresStore
from eventstore.summary import CaseSummary, ProgrammeSummary
from stack.postgres.server import EmbeddedPostgres

PLACES: Final = 24_000
AT_LEAST: Final = 0.5
CONNECTIONS: Final = 16
_RUSH: Final = 0.05
"""The share of the places that is left for the end, when twice as many cases claim them at once."""
_PROGRAMME: Final = "venezuela-air"
_RULES: Final = "2022-10-19"
_MONTH: Final = "2022-10"
_AT: Final = datetime(2022, 10, 20, 12, tzinfo=UTC)
_DIGEST: Final = "ab" * 32
_AUTHORIZED: Final = TravelAuthorized(
    at=_AT,
    basis=Basis(
        rules_version=_RULES,
        rules_digest=_DIGEST,
        programme_version=1,
        decided_at=_AT,
        results=(RuleResult(rule="vetting", result="passed", because="cleared"),),
    ),
    last_day=date(2023, 1, 18),
    period=_MONTH,
)


@dataclass(frozen=True, slots=True)
class Places:
    """What was measured, and who got a place according to whom."""

    rate: Ratio
    places: int
    claimed: int
    """Cases that claimed one."""
    told: int
    """Cases that were told that they have one."""
    counted: int
    """Of the programme's counter."""
    held: int
    """Heads that hold one."""

    @property
    def exact(self) -> bool:
        """Not one place too many, and none left."""
        return self.claimed > self.places == self.told == self.counted == self.held

    @property
    def is_met(self) -> bool:
        """Whether the budget holds."""
        return self.exact and self.rate.is_met

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        told = {"claimed": self.claimed, "told": self.told, "counted": self.counted, "held": self.held}
        return {**self.rate.as_dict(), "met": self.is_met, "places": self.places, "exact": self.exact, **told}

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"places, {self.rate.unit} (claims / the same appends without a place), {len(self.rate.pairs)} pairs"
        for claims, plain in self.rate.pairs:
            yield f"  {claims:10.1f} / {plain:10.1f} = {claims / plain:.3f}"
        mark = "" if self.rate.is_met else "  NOT MET"
        yield f"Median ratio     {self.rate.ratio:.3f}  (at least {self.rate.at_least:.2f}){mark}"
        yield f"Claimed          by {self.claimed:,} cases, {CONNECTIONS} at once; there are {self.places:,} places"
        mark = "" if self.exact else "  NOT MET"
        yield f"Given out        {self.told:,} told, {self.counted:,} counted, {self.held:,} held{mark}"


async def measure(pairs: int = 5, places: int = PLACES) -> Places:
    """Run on an embedded server of its own; three appends a place."""
    with tempfile.TemporaryDirectory(prefix="passage-bench-") as folder:
        async with EmbeddedPostgres(Path(folder) / "postgres") as server:
            url = await server.ensure_database("passage")
            await migrate(url)
            store = await PostgresStore.connect(url, NoKeyFiles(), connections=CONNECTIONS)
            try:
                return await _alternate(store, url, pairs, places)
            finally:
                await store.close()


async def _alternate(store: PostgresStore, url: str, pairs: int, places: int) -> Places:
    a_slice = int(places * (1 - _RUSH)) // pairs
    left = places - a_slice * pairs
    cases = [_Case(store, case_id_from_entropy("VEN", os.urandom(8))) for _ in range(a_slice * pairs + 2 * left)]
    await open_with(store, places)
    await _rate([case.file for case in cases])
    found = []
    for number in range(pairs):
        mine = cases[number * a_slice : (number + 1) * a_slice]
        if number % 2 == 0:  # who goes first changes, so that neither always meets the longer streams
            claims, plain = await _rate([case.claim for case in mine]), await _rate([case.append for case in mine])
        else:
            plain, claims = await _rate([case.append for case in mine]), await _rate([case.claim for case in mine])
        found.append((claims, plain))
    await _rate([case.claim for case in cases[a_slice * pairs :]])
    counted, held = await _counted(url)
    rate = Ratio("places", "claims/s", tuple(found), AT_LEAST)
    return Places(rate, places, len(cases), sum(case.has_place for case in cases), counted, held)


async def _rate(operations: Sequence[Callable[[], Awaitable[None]]]) -> float:
    """Operations a second, done by as many at once as there are connections."""
    waiting = iter(operations)

    async def work() -> None:
        for operation in waiting:
            await operation()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return len(operations) / (time.perf_counter() - began)


async def _counted(url: str) -> tuple[int, int]:
    connection = await asyncpg.connect(url)
    try:
        counted = await connection.fetchval("SELECT taken FROM passage.place_counter WHERE period = 'total'")
        held = await connection.fetchval("SELECT count(*) FROM passage.case_head WHERE place_quantity > 0")
        return counted, held
    finally:
        await connection.close()


@dataclass(slots=True)
class _Case:
    store: PostgresStore
    stream: str
    version: int = 0
    hash: bytes = NO_HASH
    has_place: bool = False

    async def file(self) -> None:
        await self._append(
            ApplicationFiled(
                at=_AT,
                programme=_PROGRAMME,
                rules_version=_RULES,
                rules_digest=_DIGEST,
                application=ERASED_APPLICATION,
            )
        )

    async def append(self) -> None:
        await self._append(_AUTHORIZED)

    async def claim(self) -> None:
        try:
            await self._append(_AUTHORIZED, TakePlace(AIR, _MONTH))
        except NoPlace:
            return
        self.has_place = True

    async def _append(self, event: CaseEvent, place: TakePlace | None = None) -> None:
        summary = CaseSummary(self.stream, _PROGRAMME, _RULES, "travel_authorization", "arrival", _AT, _AT)
        done = await self.store.append(
            Append(
                stream=self.stream,
                programme=_PROGRAMME,
                command_id=CommandId(f"vetting:{self.stream}-{self.version}"),
                message_digest=bytes(32),
                expected_version=self.version,
                previous_hash=self.hash,
                events=(event,),
                proof=claimed("vetting"),
                now=_AT,
                rules_digest=_DIGEST,
                summary=summary,
                read_at=ReadAt(programme_version=1),
                place=place,
            )
        )
        self.version, self.hash = done.version, done.hash


async def open_with(store: PostgresStore, places: int) -> None:
    """Open the programme with so many places."""
    [opened] = open_programme(registry.programme(_PROGRAMME).sets[_RULES], places, _AT)
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
            summary=ProgrammeSummary(_PROGRAMME, "open", _RULES, {AIR: Pool(_PROGRAMME, places, "total")}),
        )
    )


class NoKeyFiles:
    """A `KeyStore` that writes no file: 25,000 of them would take longer than everything that is measured."""

    async def create(self, case_id: str) -> CaseKey:  # noqa: D102  the port says it
        return CaseKey(case_id, bytes(32))

    async def get(self, key_id: str) -> CaseKey:  # noqa: D102  the port says it
        return CaseKey(key_id, bytes(32))

    async def destroy(self, key_id: str) -> None:  # noqa: D102  the port says it
        raise NotImplementedError(key_id)

    async def pepper(self) -> bytes:  # noqa: D102  the port says it
        return bytes(32)
