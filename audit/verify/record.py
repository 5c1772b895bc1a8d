"""`audit verify`: derives the whole log again from its stored bytes, in memory that does not grow with its length.

Everything is read in one snapshot, so that appends and seals may go on. Nothing needs a key of personal data, and
nothing is taken from Temporal.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from audit.log.checkpoints import Checkpoint
from audit.log.notes import Note, NoteForged, Verifier
from audit.log.sealing import MAX_LAG
from audit.log.tables import Connection
from audit.log.witnesses import Witness
from audit.verify.events import EVENTS, EventCheck
from audit.verify.faults import EVENT_CODES, Fault, Faults
from audit.verify.heads import HeadCheck, read_programmes
from audit.verify.histories import check_histories
from audit.verify.maps import MAPS_REBUILT, check_maps
from audit.verify.queue import check_noted, check_queue
from audit.verify.refold import Refold
from audit.verify.tree import TreeCheck
from audit.verify.witnesses import Cosigned, check_witnesses
from eventstore.format.envelope import machine_clock
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
    other_verifiers: tuple[Verifier, ...] = ()
    """Keys that the log had before or after it: a checkpoint needs the signature of one of all these."""
    witnesses: tuple[Witness, ...] = ()
    """Whose cosignatures are verified, and required."""
    known: Checkpoint | None = None
    """A checkpoint that the auditor kept; `known_checkpoint` opens it."""
    max_lag: timedelta = MAX_LAG
    refold: bool = True
    """Heads, places and the cap too; without, the bytes, chains and the tree."""
    maps: int | None = MAPS_REBUILT
    """How many map seals to build anew, the newest first; None: all."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was gone through, and how many faults that found."""

    events: int
    streams: int
    leaves: int
    checkpoints: int
    map_seals: int
    histories: int
    """Events that tell of a kept history of the coordinator's."""
    newest: Checkpoint | None
    """The newest of the log's own checkpoints that verifies: keep it for the next time."""
    faults: int
    cosigned: tuple[Cosigned, ...] = ()
    """By witness that was asked for."""


def known_checkpoint(
    content: str, verifier: Verifier, *others: Verifier, witnesses: tuple[Witness, ...] = ()
) -> Checkpoint:
    """A checkpoint that the auditor kept, signed by one of these keys; lines of the witnesses must be theirs.

    Raises:
        NoteMalformed, NoteForged: it is none, or not this log's.
    """
    note = Note.parse(content)
    note.verified_by([verifier, *others])
    note.verified_by([verifier, *others, *witnesses])
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != verifier.name:
        raise NoteForged(f"it is of the log {checkpoint.origin}")
    return checkpoint


async def verify(
    database_url: str,
    scope: Scope,
    tell: Tell,
    progress: Progress = lambda _: None,
    *,
    clock: Callable[[], datetime] = machine_clock,
) -> Verified:
    """Verify the log; each fault is told as it is found. `database_url` is a login that may act as `passage_auditor`.

    Raises:
        StoreUnavailable: the database cannot be reached.
    """
    faults = Faults(tell)
    with translated():
        connection = await connect(database_url, "passage-audit", ROLE)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await _within(connection, scope, faults, progress, clock())
        finally:
            await connection.close()


async def _within(connection: Connection, scope: Scope, faults: Faults, progress: Progress, now: datetime) -> Verified:
    heads, refold = None, None
    if scope.refold:
        heads = HeadCheck(connection, faults, await read_programmes(connection, faults))
        refold = Refold(faults)
    events = EventCheck(faults, refold)
    await _read_events(connection, events, refold, heads, progress)
    await check_queue(connection, faults, now, scope.max_lag, events.without_leaf)
    await check_noted(connection, faults, now, scope.max_lag)
    if heads is not None and refold is not None:
        await heads.finish(refold, counters=not EVENT_CODES & faults.counts.keys())
    tree = TreeCheck(connection, faults, (scope.verifier, *scope.other_verifiers), scope.known)
    leaves = await tree.run()
    cosigned = await check_witnesses(connection, faults, scope.witnesses)
    seals = await check_maps(connection, faults, scope.maps)
    histories = await check_histories(connection, faults)
    return Verified(
        events=events.events,
        streams=events.streams,
        leaves=leaves,
        checkpoints=tree.checkpoints,
        map_seals=seals,
        histories=histories,
        newest=tree.newest,
        faults=faults.total,
        cosigned=cosigned,
    )


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
