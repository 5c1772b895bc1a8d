"""The event store over Postgres 16+ (asyncpg): each append is one call of a function in `sql/`."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Self

import asyncpg

from eventstore.conflicts import Conflict, IllegalAppend, MessageDecided, NoPlace, PlaceFree, VersionConflict
from eventstore.format.codec import CODEC, Codec
from eventstore.format.envelope import EVENT_COLUMNS, Envelope, machine_clock
from eventstore.format.wrapping import needs_key, unwrap, wrap
from eventstore.keys import KeyStore, keys_of
from eventstore.partner_calls import CircuitTerms
from eventstore.port import Append, Appended, Look, OpenedCall, Pending, Stream
from eventstore.postgres.access import PostgresAccess
from eventstore.postgres.append import (
    APPEND_PROGRAMME,
    ERASE_CASE,
    appended_of,
    case_values,
    erased_of,
    erasure_values,
    programme_values,
)
from eventstore.postgres.connections import WRITING_S, close_pool, open_pool
from eventstore.postgres.heads import (
    CASE_HEAD,
    PROGRAMME_HEAD,
    case_summary,
    programme_summary,
    stuck_candidates,
    summaries,
)
from eventstore.postgres.inbox import PostgresInbox
from eventstore.postgres.look import APPEND_AND_LOOK, LOOK, owed_of, rows_of, undecided_of, world_of
from eventstore.postgres.operations import PostgresDeliveries, PostgresGuard, PostgresStatistics
from eventstore.postgres.partner_calls import PostgresCircuits, PostgresUnanswered
from eventstore.postgres.session import Statement, translated
from eventstore.postgres.staff import PostgresStaff
from eventstore.summary import CaseSummary, ProgrammeSummary, SummaryFilter
from eventstore.world import WorldQuery, WorldRead

_UNDONE: dict[str, type[Conflict]] = {
    "PS001": NoPlace,
    "PS002": PlaceFree,
    "PS003": MessageDecided,
    "PS005": VersionConflict,
}
_ILLEGAL = "PS004"

_NOTICE_STEPS = 5
"""After a programme's append: its cases are listed, and the first 800 notified. The relay does the rest."""

_LOAD = Statement(f"SELECT {EVENT_COLUMNS} FROM passage.events WHERE stream = :stream ORDER BY version")  # noqa: S608  constants

_WORLD = Statement(
    "SELECT * FROM passage.read_world(:programme, :case_id, :allotment, :quantity, :month, :keys, :details, :principal)"
)

_CALLS = Statement("""
SELECT request_id, partner, attempts FROM passage.outbound_call
WHERE case_id = :case_id AND accepted_at IS NULL AND dropped_at IS NULL ORDER BY opened_at, request_id
""")
_MARK_CALL = Statement(
    "SELECT set_config('synchronous_commit', 'off', true), passage.mark_call(:request_id, :accepted)"
)
"""Not waited for until it is on disk: a mark that a crash loses costs one more call under the same idempotency key."""


class PostgresStore:
    """`EventStore` over one bounded pool; `inbox` is the `Inbox` of the same database."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        keys: KeyStore,
        clock: Callable[[], datetime] = machine_clock,
        codec: Codec = CODEC,
    ) -> None:
        self._pool = pool
        self._keys = keys
        self._clock = clock
        self._codec = codec
        self._inbox = PostgresInbox(pool, keys)
        self._access = PostgresAccess(pool, clock, codec)
        self._staff = PostgresStaff(pool)

    @property
    def inbox(self) -> PostgresInbox:  # noqa: D102  # the port says it
        return self._inbox

    @property
    def access(self) -> PostgresAccess:  # noqa: D102  # the port says it
        return self._access

    def circuits(self, terms: CircuitTerms) -> PostgresCircuits:
        """The circuits of the partners, kept in the same database for all who call them."""
        return PostgresCircuits(self._pool, terms)

    @property
    def unanswered(self) -> PostgresUnanswered:
        """The requests in the same database that partners have taken and not answered."""
        return PostgresUnanswered(self._pool)

    @property
    def staff(self) -> PostgresStaff:
        """Staff references, in the same database."""
        return self._staff

    @property
    def guard(self) -> PostgresGuard:
        """What the gateway keeps of its callers, in the same database."""
        return PostgresGuard(self._pool)

    @property
    def statistics(self) -> PostgresStatistics:
        """Counts of the programmes in the same database."""
        return PostgresStatistics(self._pool)

    @property
    def deliveries(self) -> PostgresDeliveries:
        """What came into the same database, as operators ask for it."""
        return PostgresDeliveries(self._pool)

    @classmethod
    async def connect(
        cls,
        database_url: str,
        keys: KeyStore,
        *,
        connections: int = 16,
        role: str = "passage_writer",
        statement_timeout_s: float = WRITING_S,
        clock: Callable[[], datetime] = machine_clock,
    ) -> Self:
        """Connect as the login of the URL and act as `role`, which can write through the functions only.

        `connections` bounds the pool; a caller beyond it waits. A statement, and a wait for a lock in it, ends after
        `statement_timeout_s`. Raises StoreUnavailable where the server cannot be reached.
        """
        pool = await open_pool(database_url, "passage", role, longest_s=statement_timeout_s, connections=connections)
        return cls(pool, keys, clock)

    async def close(self) -> None:
        """Close the pool; what is under way has ten seconds to end."""
        await close_pool(self._pool)

    async def load(self, stream: str) -> Stream:  # noqa: D102  # the port says it
        with translated():
            records = await self._pool.fetch(*_LOAD(stream=stream))
        rows = [Envelope._make(record) for record in records]
        return await self._stream(rows)

    async def look(self, case_id: str, month: str) -> Look:  # noqa: D102  # the port says it
        with translated():
            found = await self._pool.fetchrow(*LOOK(case=case_id, month=month))
        assert found is not None  # noqa: S101  # aggregates give one row
        return Look(
            stream=await self._stream(rows_of(found)),
            programme=found["programme"],
            pending=await self._pending(found),
            world=world_of(found, WorldQuery(programme=found["programme"], case_id=case_id, month=month)),
        )

    async def _pending(self, found: Any, appended: Append | None = None) -> Pending:
        columns = undecided_of(found)
        row = None if columns is None else await self._inbox.opened(columns)
        return Pending(row, owed_of(found, appended))

    async def _stream(self, rows: list[Envelope]) -> Stream:
        return unwrap(rows, await keys_of(self._keys, (row.key_id for row in rows)), self._codec)

    async def append(self, append: Append) -> Appended:  # noqa: D102  # the port says it
        key = await self._keys.create(append.stream) if needs_key(append, self._codec) else None
        rows = wrap(append, key, self._clock(), self._codec)
        if append.stream == append.programme:
            appended = appended_of(append, await self._call(*APPEND_PROGRAMME(**programme_values(append, rows))))
            after = await self._inbox.write_notices(_NOTICE_STEPS) if append.notifies is not None else ()
            return replace(appended, notifications=appended.notifications + after)
        result = await self._call(*APPEND_AND_LOOK(**case_values(append, rows, key)))
        appended = appended_of(append, result)
        if not appended.first_result or any(
            notification.case_id == append.stream for notification in appended.notifications
        ):
            return appended
        return replace(appended, pending=await self._pending(result, append))

    async def erase(self, append: Append) -> Appended:  # noqa: D102  # the port says it
        [row] = wrap(append, None, self._clock(), self._codec)
        return erased_of(await self._call(*ERASE_CASE(**erasure_values(append, row))))

    async def _call(self, statement: str, *arguments: Any) -> Any:
        try:
            with translated():
                return await self._pool.fetchrow(statement, *arguments)
        except asyncpg.PostgresError as error:
            if error.sqlstate in _UNDONE:
                raise _UNDONE[error.sqlstate] from None
            if error.sqlstate == _ILLEGAL:
                raise IllegalAppend(str(error)) from None
            raise

    async def read_world(self, query: WorldQuery) -> WorldRead:  # noqa: D102  # the port says it
        supporter = query.supporter
        details = supporter and [supporter.person, supporter.tax_id, supporter.phone, supporter.address]
        with translated():
            row = await self._pool.fetchrow(
                *_WORLD(
                    programme=query.programme, case_id=query.case_id, allotment=query.allotment,
                    quantity=query.quantity, month=query.month, keys=query.person_keys or None, details=details,
                    principal=query.principal,
                )
            )  # fmt: skip
        assert row is not None  # noqa: S101  # a function that returns one row
        return world_of(row, query)

    async def summary(self, case_id: str) -> CaseSummary | None:  # noqa: D102  # the port says it
        with translated():
            row = await self._pool.fetchrow(*CASE_HEAD(case_id=case_id))
        return None if row is None else case_summary(row)

    async def programme(self, programme: str) -> ProgrammeSummary | None:  # noqa: D102  # the port says it
        with translated():
            row = await self._pool.fetchrow(*PROGRAMME_HEAD(programme=programme))
        return None if row is None else programme_summary(row)

    def summaries(self, where: SummaryFilter) -> AsyncIterator[CaseSummary]:  # noqa: D102  # the port says it
        return summaries(self._pool, where)

    async def outstanding_calls(self, case_id: str) -> tuple[OpenedCall, ...]:  # noqa: D102  # the port says it
        with translated():
            rows = await self._pool.fetch(*_CALLS(case_id=case_id))
        return tuple(OpenedCall(*row) for row in rows)

    async def mark_call(self, request_id: str, *, accepted: bool) -> None:  # noqa: D102  # the port says it
        with translated():
            await self._pool.execute(*_MARK_CALL(request_id=request_id, accepted=accepted))

    def stuck_candidates(self) -> AsyncIterator[str]:  # noqa: D102  # the port says it
        return stuck_candidates(self._pool)
