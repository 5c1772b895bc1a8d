"""The inbox over Postgres; the functions are in `sql/inbox.sql`."""

from collections.abc import Collection, Iterable
from typing import Any, Final

import asyncpg

from domain.kernel.proof import Proof
from eventstore.format.messages import FILING, digest_again, keep, read
from eventstore.inbox import (
    InboxRow,
    Incoming,
    MessageContentDiffers,
    Receipt,
    UnknownStream,
    UnnotifiedMessage,
    Waiting,
)
from eventstore.keys import CaseKey, KeyDestroyed, KeyStore, KeyUnknown
from eventstore.port import Notification
from eventstore.postgres.append import notifications_of
from eventstore.postgres.session import Statement, call, translated

_RECEIPT: Final = Statement("SELECT * FROM passage.receipt(:source, :message_id)")
_OF_MESSAGE: Final = (
    "stream", "case", "programme", "source", "message_id", "kind", "body", "key_id", "digest", "received_at", "proof",
    "persons", "filing",
)  # fmt: skip
_RECEIVE: Final = Statement(f"SELECT * FROM {call('passage.receive', _OF_MESSAGE)}")  # noqa: S608  constants

_ERASED: Final = "PS011"

_NEXT: Final = Statement("""
SELECT number, stream, case_id, programme, source, message_id, kind, body, key_id, digest, received_at, proof
FROM passage.inbox WHERE stream = :stream AND answer IS NULL ORDER BY number LIMIT 1
""")
_HAS_UNDECIDED: Final = Statement("""
SELECT EXISTS (
    SELECT FROM passage.inbox
    WHERE stream = :stream AND answer IS NULL AND (:kinds::text[] IS NULL OR kind = ANY (:kinds)))
""")
_WAITING: Final = Statement("""
SELECT number, kind, source, received_at FROM passage.inbox
WHERE stream = :stream AND answer IS NULL ORDER BY number LIMIT :limit
""")
_MARK_NOTIFIED: Final = Statement("SELECT passage.mark_notified(:numbers)")

_CLAIM: Final = Statement("SELECT number, stream, case_id, message_id, kind FROM passage.claim_notifications(:limit)")
_WRITE_NOTICES: Final = "SELECT * FROM passage.write_notices()"
LIST_TIMEOUT_S: Final = 120
"""A million open cases are listed in some five seconds, which no other transaction waits for."""


class PostgresInbox:
    """`Inbox` over the store's pool and keys."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", keys: KeyStore) -> None:
        self._pool = pool
        self._keys = keys

    async def receive(self, incoming: Incoming) -> Receipt:  # noqa: D102  # the port says it
        filing = incoming.body.message == FILING
        if filing:  # looked for first: the caller draws a new case id, and so a new key, at each attempt
            with translated():
                known = await self._pool.fetchrow(*_RECEIPT(source=incoming.source, message_id=incoming.message_id))
            if known is not None and known["number"] is not None:
                return await self._first_receipt(known, incoming)
        key = await self._key_for(incoming, filing=filing)
        row = await self._receive(incoming, key, filing=filing)
        if row is None or row["number"] is None:
            raise UnknownStream(incoming.case_id or incoming.programme)
        if row["first"]:
            return _receipt(row)
        if filing and row["stream"] != incoming.case_id:
            await self._keys.destroy(key.key_id if key is not None else "")  # drawn for nothing
        return await self._first_receipt(row, incoming)

    async def _receive(self, incoming: Incoming, key: CaseKey | None, *, filing: bool) -> Any:
        """The row, new or known. Raises KeyDestroyed for an erased case, whose key this process may still remember."""
        body, key_id, digest = keep(incoming, key)
        stream = incoming.case_id or incoming.programme
        statement = _RECEIVE(
            stream=stream, case=incoming.case_id, programme=incoming.programme, source=incoming.source,
            message_id=incoming.message_id, kind=incoming.body.message, body=body, key_id=key_id, digest=digest,
            received_at=incoming.received_at, proof=str(incoming.proof), persons=list(incoming.person_keys) or None,
            filing=filing,
        )  # fmt: skip
        try:
            with translated():
                return await self._pool.fetchrow(*statement)
        except asyncpg.PostgresError as error:
            if error.sqlstate == _ERASED:
                raise KeyDestroyed(stream) from None
            raise

    async def _key_for(self, incoming: Incoming, *, filing: bool) -> CaseKey | None:
        if incoming.case_id is None:
            return None
        if filing:
            return await self._keys.create(incoming.case_id)
        try:
            return await self._keys.get(incoming.case_id)
        except KeyUnknown:
            raise UnknownStream(incoming.case_id) from None

    async def _first_receipt(self, row: Any, incoming: Incoming) -> Receipt:
        key = None if row["case_id"] is None else await self._keys.get(row["case_id"])
        same_stream = row["stream"] == (incoming.case_id or incoming.programme)
        if not (same_stream or incoming.body.message == FILING) or digest_again(incoming, key) != row["digest"]:
            raise MessageContentDiffers(f"{incoming.source}:{incoming.message_id}")
        return _receipt(row)

    async def next_undecided(self, stream: str) -> InboxRow | None:  # noqa: D102  # the port says it
        with translated():
            row = await self._pool.fetchrow(*_NEXT(stream=stream))
        return None if row is None else await self.opened(dict(row))

    async def opened(self, columns: dict[str, Any]) -> InboxRow:
        """The row of these columns, those of `next_undecided`, its message decrypted and validated."""
        key_id = columns.pop("key_id")
        key = None if key_id is None else await self._keys.get(key_id)
        columns["body"] = read(
            columns["body"], key, columns["source"], columns["message_id"], case_id=columns["case_id"]
        )  # fmt: skip
        columns["proof"] = Proof.parse(columns["proof"])
        return InboxRow(**columns)

    async def get(self, source: str, message_id: str) -> Receipt | None:  # noqa: D102  # the port says it
        with translated():
            row = await self._pool.fetchrow(*_RECEIPT(source=source, message_id=message_id))
        return None if row is None or row["number"] is None else _receipt(row)

    async def has_undecided(self, case_id: str, kinds: Collection[str] | None = None) -> bool:  # noqa: D102  # the port
        with translated():
            found: bool = await self._pool.fetchval(
                *_HAS_UNDECIDED(stream=case_id, kinds=None if kinds is None else list(kinds))
            )
        return found

    async def waiting(self, stream: str, limit: int) -> tuple[Waiting, ...]:  # noqa: D102  # the port says it
        with translated():
            rows = await self._pool.fetch(*_WAITING(stream=stream, limit=limit))
        return tuple(Waiting(*row) for row in rows)

    async def claim_notifications(self, limit: int) -> tuple[UnnotifiedMessage, ...]:  # noqa: D102  # the port says it
        with translated():
            rows = await self._pool.fetch(*_CLAIM(limit=limit))
        if len(rows) < limit and await self.write_notices(2):
            with translated():
                rows += await self._pool.fetch(*_CLAIM(limit=limit - len(rows)))
        return tuple(UnnotifiedMessage(*row) for row in rows)

    async def write_notices(self, steps: int) -> tuple[Notification, ...]:
        """Write what an append left for after its commit: a step notifies 200 cases, or lists them."""
        written: list[Notification] = []
        for _ in range(steps):
            with translated():
                row = await self._pool.fetchrow(_WRITE_NOTICES)
            assert row is not None  # noqa: S101  # a function that returns one row
            if row["what"] == "nothing":
                break
            if row["what"] == "unlisted":
                await self._list_notices()
            written += notifications_of(row)
        return tuple(written)

    async def _list_notices(self) -> None:
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(f"SET LOCAL statement_timeout = '{LIST_TIMEOUT_S}s'")
                await connection.execute("SELECT passage.list_notices()", timeout=LIST_TIMEOUT_S + 5)

    async def mark_notified(self, numbers: Iterable[int]) -> None:  # noqa: D102  # the port says it
        with translated():
            await self._pool.execute(*_MARK_NOTIFIED(numbers=list(numbers)))


def _receipt(row: Any) -> Receipt:
    return Receipt(
        number=row["number"],
        stream=row["stream"],
        case_id=row["case_id"],
        message_id=row["message_id"],
        first=row["first"],
        received_at=row["received_at"],
        answer=row["answer"],
        code=row["code"],
    )
