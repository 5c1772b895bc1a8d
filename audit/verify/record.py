"""`audit verify`: derives the whole log again from its stored bytes, in memory that does not grow with its length.

Everything is read in one snapshot, so that appends and seals may go on. Nothing but deciding again needs a key of
personal data, and nothing is taken from Temporal.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

from audit.log.checkpoints import Checkpoint
from audit.log.log_key import FormerVerifier, LogKeys
from audit.log.notes import Note, Verifier
from audit.log.sealing import MAX_LAG
from audit.log.tables import Connection
from audit.programmes import ProgrammeHistory
from audit.verify.beside.boarding import check_boarding
from audit.verify.beside.decisions import Decided, check_decisions
from audit.verify.beside.histories import check_histories
from audit.verify.beside.inbox import check_inbox
from audit.verify.beside.schema import check_schema
from audit.verify.beside.standing import check_standing
from audit.verify.events import EVENTS, EventCheck
from audit.verify.faults import EVENT_CODES, Code, Fault, Faults
from audit.verify.heads import HeadCheck, read_programmes
from audit.verify.refold import Refold
from audit.verify.sealed.maps import MAPS_REBUILT, check_maps
from audit.verify.sealed.queue import check_noted, check_queue
from audit.verify.sealed.times import TimeCheck
from audit.verify.sealed.tree import TreeCheck
from domain import registry
from eventstore.format.envelope import machine_clock
from eventstore.keys import KeyStore
from eventstore.postgres.connections import connect
from eventstore.postgres.session import translated

ROLE: Final = "passage_auditor"
ROWS_AT_ONCE: Final = 1000
"""About a megabyte."""
CASES_AT_ONCE: Final = 500
"""Folded cases kept until their heads are asked for."""
_PROGRESS_EVERY_S: Final = 5.0

Tell = Callable[[Fault], None]
Progress = Callable[[int], None]
"""Called now and then with the events done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What to verify against, and how far."""

    verifier: Verifier
    """The log's key, as the auditor knows it."""
    former: tuple[FormerVerifier, ...] = ()
    """Keys that the log had before it."""
    known: Checkpoint | None = None
    """A checkpoint that the auditor kept; `known_checkpoint` opens it."""
    max_lag: timedelta = MAX_LAG
    refold: bool = True
    """All that follows from the events too; without, the schema, the bytes, chains and the tree."""
    maps: int | None = MAPS_REBUILT
    """How many map seals to build anew, the newest first; None: all."""
    keys: KeyStore | None = None
    """Of what is personal: every decision is then made again."""

    @property
    def log_keys(self) -> LogKeys:
        """The keys, as checkpoints are opened by."""
        return LogKeys(self.verifier, self.former)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was gone through, and how many faults that found."""

    events: int = 0
    streams: int = 0
    leaves: int = 0
    checkpoints: int = 0
    map_seals: int = 0
    histories: int = 0
    """Events that tell of a kept history of the coordinator's."""
    decided: int = 0
    """Cases that were decided again."""
    undecided: int = 0
    """Cases that were not: there was no key at hand, or it is destroyed."""
    newest: Checkpoint | None = None
    """The newest of the log's own checkpoints that verifies: keep it for the next time."""
    faults: int


def known_checkpoint(content: str, keys: LogKeys) -> Checkpoint:
    """A checkpoint that the auditor kept, signed by one of these keys. Raises NoteMalformed, NoteForged."""
    return keys.opened(Note.parse(content))


async def verify(
    database_url: str,
    scope: Scope,
    tell: Tell,
    progress: Progress = lambda _: None,
    *,
    clock: Callable[[], datetime] = machine_clock,
) -> Verified:
    """Verify the log; each fault is told as it is found. `database_url` is a login that may act as `passage_auditor`.

    A database that would hide rows from this login is a fault, and nothing more of it is read.

    Raises:
        StoreUnavailable: the database cannot be reached.
    """
    faults = Faults(tell)
    with translated():
        connection = await connect(database_url, "passage-audit", ROLE)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                await check_schema(connection, faults)
                return await _within(connection, scope, faults, progress, clock())
        except asyncpg.InsufficientPrivilegeError:
            faults.add(Code.ROWS_HIDDEN, None, None, "the database would hide rows from an auditor, or refuses them")
            return Verified(faults=faults.total)
        finally:
            await connection.close()


async def _within(connection: Connection, scope: Scope, faults: Faults, progress: Progress, now: datetime) -> Verified:
    histories = await read_programmes(connection, faults) if scope.refold else {}
    heads = HeadCheck(connection, faults, histories) if scope.refold else None
    refold = Refold(faults, histories.keys() | registry.programmes().keys()) if scope.refold else None
    events = EventCheck(faults, refold)
    await _read_events(connection, events, refold, heads, progress)
    await check_queue(connection, faults, now, scope.max_lag, events.without_leaf)
    await check_noted(connection, faults, now, scope.max_lag)
    if heads is not None and refold is not None:
        await heads.finish(refold, counters=not EVENT_CODES & faults.counts.keys())
    times = TimeCheck(connection, faults, scope.max_lag, 0 if scope.known is None else scope.known.size)
    tree = TreeCheck(connection, faults, scope.log_keys, times, scope.known)
    leaves = await tree.run()
    await times.close(now)
    seals = await check_maps(connection, faults, scope.maps)
    kept = await check_histories(connection, faults)
    decided = await _check_beside(connection, scope, faults, histories)
    return Verified(
        events=events.events,
        streams=events.streams,
        leaves=leaves,
        checkpoints=tree.checkpoints,
        map_seals=seals,
        histories=kept,
        decided=decided.cases,
        undecided=decided.unjudged,
        newest=tree.newest,
        faults=faults.total,
    )


async def _check_beside(
    connection: Connection, scope: Scope, faults: Faults, histories: dict[str, ProgrammeHistory]
) -> Decided:
    """What stands beside the events and must follow from them; not where those are damaged, which was told."""
    if not scope.refold or EVENT_CODES & faults.counts.keys():
        return Decided()
    await check_inbox(connection, faults)
    await check_standing(connection, faults)
    await check_boarding(connection, faults, histories)
    if scope.keys is None:
        return Decided()
    return await check_decisions(connection, faults, histories, scope.keys)


async def _read_events(
    connection: Any, events: EventCheck, refold: Refold | None, heads: HeadCheck | None, progress: Progress
) -> None:
    # Their order comes from the index; a sort of whole rows would fill the server's disk.
    await connection.execute("SET LOCAL enable_sort = off; SET LOCAL enable_hashjoin = off")
    cursor = await connection.cursor(EVENTS)
    await connection.execute("SET LOCAL enable_sort = on; SET LOCAL enable_hashjoin = on")
    told = time.monotonic()
    while rows := await cursor.fetch(ROWS_AT_ONCE):
        events.take(rows)
        if refold is not None and heads is not None and len(refold.folded) >= CASES_AT_ONCE:
            await _compare(refold, heads)
        if time.monotonic() - told >= _PROGRESS_EVERY_S:
            told = time.monotonic()
            progress(events.events)
    events.close()
    if refold is not None and heads is not None:
        await _compare(refold, heads)


async def _compare(refold: Refold, heads: HeadCheck) -> None:
    cases, refold.folded = refold.folded, []
    if cases:
        await heads.compare(cases)
