"""The access log and erasure over Postgres."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg

from domain.access import HistoryStored, LegalHoldPlaced, LegalHoldReleased
from eventstore.access import MAX_EVENTS, AccessRecord, NotedCheck, digest_of, record_of_checks, wrap_access
from eventstore.conflicts import CommandContentDiffers, ErasureRefused
from eventstore.format.codec import Codec
from eventstore.format.envelope import Envelope
from eventstore.port import Appended
from eventstore.postgres.session import Statement, call, translated

_OF_RECORD: Final = (
    "programme", "command_id", "expected", "previous", "recorded_at", "actor", "proof", "message_digest", "types",
    "schema_versions", "happened", "public", "headers", "hashes",
)  # fmt: skip
_APPEND: Final = Statement(f"SELECT {call('passage.append_access', _OF_RECORD)}")
_APPEND_CHECKS: Final = Statement(f"SELECT {call('passage.append_checks', (*_OF_RECORD, 'numbers'))}")
_OLDEST = "SELECT programme, carrier FROM passage.boarding_check ORDER BY number LIMIT 1"
_CHECKS = """
SELECT number, programme, carrier, case_id, answer, checked_at FROM passage.boarding_check
WHERE programme = $1 AND carrier = $2 ORDER BY number LIMIT $3
"""


class PostgresAccess:
    """`AccessLog` over the store's pool."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Callable[[], datetime], codec: Codec) -> None:
        self._pool = pool
        self._clock = clock
        self._codec = codec

    async def record(self, record: AccessRecord) -> int:  # noqa: D102  # the port says it
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                head = await connection.fetchrow("SELECT * FROM passage.lock_access($1)", record.programme)
                first = await connection.fetchrow(
                    "SELECT * FROM passage.access_result($1, $2)", record.programme, record.command_id
                )
                if first is not None:
                    return self._first_result(first, record)
                assert head is not None  # noqa: S101  # a function that returns one row
                rows = wrap_access(record, head["version"], head["hash"], self._clock(), self._codec)
                await connection.execute(*_APPEND(**_values(record, rows, head)))
                await _change_holds(connection, record)
                await _keep_history(connection, record, rows[-1].version)
                return rows[-1].version

    def _first_result(self, first: Any, record: AccessRecord) -> int:
        if first["message_digest"] != digest_of(record, self._codec):
            raise CommandContentDiffers(record.command_id)
        version: int = first["version"]
        return version

    async def kept(self, runs: Collection[str]) -> frozenset[str]:  # noqa: D102  # the port says it
        with translated():
            rows = await self._pool.fetch("SELECT run_id FROM passage.run_history WHERE run_id = ANY ($1)", list(runs))
        return frozenset(row["run_id"] for row in rows)

    async def note_check(self, check: NotedCheck) -> None:  # noqa: D102  # the port says it
        with translated():
            await self._pool.execute(
                "SELECT passage.note_check($1, $2, $3, $4, $5)",
                check.programme, check.carrier, check.case_id, check.answer, check.checked_at,
            )  # fmt: skip

    async def record_checks(self) -> int:  # noqa: D102  # the port says it
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                oldest = await connection.fetchrow(_OLDEST)
                if oldest is None:
                    return 0
                # Whoever else records checks of this programme has committed once this returns.
                head = await connection.fetchrow("SELECT * FROM passage.lock_access($1)", oldest["programme"])
                noted = await connection.fetch(_CHECKS, oldest["programme"], oldest["carrier"], MAX_EVENTS)
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
            held: bool = await self._pool.fetchval(
                "SELECT EXISTS (SELECT FROM passage.legal_hold WHERE case_id = $1)", case_id
            )
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


async def _change_holds(connection: Any, record: AccessRecord) -> None:
    for event in record.events:
        if isinstance(event, LegalHoldPlaced):
            await connection.execute("SELECT passage.place_hold($1, $2, $3)", event.case, record.programme, event.at)
        elif isinstance(event, LegalHoldReleased):
            await connection.execute("SELECT passage.release_hold($1)", event.case)


async def _keep_history(connection: Any, record: AccessRecord, version: int) -> None:
    event = record.events[0]
    if isinstance(event, HistoryStored):
        await connection.execute(
            "SELECT passage.keep_history($1, $2, $3, $4, $5)",
            event.run,
            event.case,
            record.programme,
            version,
            record.history,
        )


async def erased_before(connection: Any, case_id: str) -> Appended | None:
    """Begin an erasure in the transaction under way; where the case was erased before, that erasure's result.

    Raises:
        ErasureRefused: it must not be erased, or not yet.
    """
    status: str = await connection.fetchval("SELECT passage.begin_erasure($1)", case_id)
    if status == "ready":
        return None
    if status != "erased":
        raise ErasureRefused(status)
    head = await connection.fetchrow("SELECT version, hash FROM passage.case_head WHERE case_id = $1", case_id)
    return Appended(head["version"], head["hash"], first_result=False)
