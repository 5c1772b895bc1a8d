"""The access log over Postgres."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import asyncpg

from domain.access import HistoryStored, LegalHoldPlaced, LegalHoldReleased
from eventstore.access import MAX_EVENTS, AccessRecord, NotedCheck, digest_of, record_of_checks, wrap_access
from eventstore.conflicts import CommandContentDiffers, IllegalAppend
from eventstore.format.codec import Codec
from eventstore.format.envelope import Envelope
from eventstore.postgres.session import Statement, call, translated

_OF_RECORD: Final = (
    "programme", "command_id", "expected", "previous", "recorded_at", "actor", "proof", "message_digest", "types",
    "schema_versions", "happened", "public", "headers", "hashes",
)  # fmt: skip
_VIEWS: Final = Statement(f"SELECT {call('passage.record_views', _OF_RECORD)}")
_HOLDS: Final = Statement(f"SELECT {call('passage.record_holds', _OF_RECORD)}")
_HISTORY: Final = Statement(f"SELECT {call('passage.record_history', (*_OF_RECORD, 'content'))}")
_APPEND_CHECKS: Final = Statement(f"SELECT {call('passage.append_checks', (*_OF_RECORD, 'numbers'))}")
_LOCK: Final = Statement("SELECT * FROM passage.lock_access(:programme)")
_FIRST_RESULT: Final = Statement("SELECT * FROM passage.access_result(:programme, :command_id)")
_KEPT: Final = Statement("SELECT run_id FROM passage.run_history WHERE run_id = ANY (:runs)")
_OF_CHECK: Final = ("programme", "carrier", "case", "answer", "checked_at")
_NOTE_CHECK: Final = Statement(f"SELECT {call('passage.note_check', _OF_CHECK)}")
_OLDEST: Final = "SELECT programme, carrier FROM passage.boarding_check ORDER BY number LIMIT 1"
_CHECKS: Final = Statement("""
SELECT number, programme, carrier, case_id, answer, checked_at FROM passage.boarding_check
WHERE programme = :programme AND carrier = :carrier ORDER BY number LIMIT :limit
""")
_IS_HELD: Final = Statement("SELECT EXISTS (SELECT FROM passage.legal_hold WHERE case_id = :case_id)")
_REFUSED: Final = "PS004"


class PostgresAccess:
    """`AccessLog` over the store's pool."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Callable[[], datetime], codec: Codec) -> None:
        self._pool = pool
        self._clock = clock
        self._codec = codec

    async def record(self, record: AccessRecord) -> int:  # noqa: D102  # the port says it
        with translated(), _refused():
            async with self._pool.acquire() as connection, connection.transaction():
                head = await connection.fetchrow(*_LOCK(programme=record.programme))
                first = await connection.fetchrow(
                    *_FIRST_RESULT(programme=record.programme, command_id=record.command_id)
                )
                if first is not None:
                    return self._first_result(first, record)
                assert head is not None  # noqa: S101  # a function that returns one row
                rows = wrap_access(record, head["version"], head["hash"], self._clock(), self._codec)
                await connection.execute(*_recorded(record, _values(record, rows, head)))
                return rows[-1].version

    def _first_result(self, first: Any, record: AccessRecord) -> int:
        if first["message_digest"] != digest_of(record, self._codec):
            raise CommandContentDiffers(record.command_id)
        version: int = first["version"]
        return version

    async def kept(self, runs: Collection[str]) -> frozenset[str]:  # noqa: D102  # the port says it
        with translated():
            rows = await self._pool.fetch(*_KEPT(runs=list(runs)))
        return frozenset(row["run_id"] for row in rows)

    async def note_check(self, check: NotedCheck) -> None:  # noqa: D102  # the port says it
        with translated():
            await self._pool.execute(
                *_NOTE_CHECK(
                    programme=check.programme, carrier=check.carrier, case=check.case_id, answer=check.answer,
                    checked_at=check.checked_at,
                )
            )  # fmt: skip

    async def record_checks(self) -> int:  # noqa: D102  # the port says it
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                oldest = await connection.fetchrow(_OLDEST)
                if oldest is None:
                    return 0
                # Whoever else records checks of this programme has committed once this returns.
                head = await connection.fetchrow(*_LOCK(programme=oldest["programme"]))
                noted = await connection.fetch(
                    *_CHECKS(programme=oldest["programme"], carrier=oldest["carrier"], limit=MAX_EVENTS)
                )
                if noted:
                    await self._append_checks(connection, head, noted)
                return len(noted)

    async def _append_checks(self, connection: Any, head: Any, noted: Sequence[Any]) -> None:
        numbers = [row["number"] for row in noted]
        record = record_of_checks(numbers[0], [NotedCheck(**dict(list(row.items())[1:])) for row in noted])
        rows = wrap_access(record, head["version"], head["hash"], self._clock(), self._codec)
        await connection.execute(*_APPEND_CHECKS(**_values(record, rows, head), numbers=numbers))

    async def is_held(self, case_id: str) -> bool:  # noqa: D102  # the port says it
        with translated():
            held: bool = await self._pool.fetchval(*_IS_HELD(case_id=case_id))
        return held


def _values(record: AccessRecord, rows: Sequence[Envelope], head: Any) -> dict[str, Any]:
    return {
        "programme": record.programme,
        "command_id": record.command_id,
        "expected": head["version"],
        "previous": head["hash"],
        "recorded_at": rows[0].recorded_at,
        "actor": record.proof.actor,
        "proof": rows[0].proof,
        "message_digest": rows[0].message_digest,
        "types": [row.type for row in rows],
        "schema_versions": [row.schema_version for row in rows],
        "happened": [row.happened_at for row in rows],
        "public": [row.public_body for row in rows],
        "headers": [row.header for row in rows],
        "hashes": [row.hash for row in rows],
    }


def _recorded(record: AccessRecord, values: dict[str, Any]) -> tuple[Any, ...]:
    """The statement that records it: each kind of event has its own, granted to those whose it is."""
    match record.events[0]:
        case HistoryStored():
            return _HISTORY(**values, content=record.history)
        case LegalHoldPlaced() | LegalHoldReleased():
            return _HOLDS(**values)
        case _:
            return _VIEWS(**values)


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except asyncpg.PostgresError as error:
        if error.sqlstate == _REFUSED:
            raise IllegalAppend(str(error)) from None
        raise
