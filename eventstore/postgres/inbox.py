"""The inbox over Postgres; the functions are in `sql/inbox.sql`."""

from collections.abc import Collection, Iterable
from typing import Any

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
from eventstore.postgres.session import translated

_RECEIVE = "SELECT * FROM passage.receive($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"

_ERASED = "PS011"

_NEXT = """
SELECT number, stream, case_id, programme, source, message_id, kind, body, key_id, digest, received_at, proof
FROM passage.inbox WHERE stream = $1 AND answer IS NULL ORDER BY number LIMIT 1
"""

_CLAIM = "SELECT number, stream, case_id, message_id, kind FROM passage.claim_notifications($1)"


class PostgresInbox:
    """`Inbox` over the store's pool and keys."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", keys: KeyStore) -> None:
        self._pool = pool
        self._keys = keys

    async def receive(self, incoming: Incoming) -> Receipt:  # noqa: D102  # the port says it
        filing = incoming.body.message == FILING
        if filing:  # looked for first: the caller draws a new case id, and so a new key, at each attempt
            with translated():
                known = await self._pool.fetchrow(
                    "SELECT * FROM passage.receipt($1, $2)", incoming.source, incoming.message_id
                )
            if known is not None and known["number"] is not None:
                return await self._first_receipt(known, incoming)
        key = await self._key_for(incoming, filing=filing)
        kept = keep(incoming, key)
        row = await self._receive(
            incoming.case_id or incoming.programme, incoming.case_id, incoming.programme,
            incoming.source, incoming.message_id, incoming.body.message, *kept, incoming.received_at,
            str(incoming.proof), list(incoming.person_keys) or None, filing,
        )  # fmt: skip
        if row is None or row["number"] is None:
            raise UnknownStream(incoming.case_id or incoming.programme)
        if row["first"]:
            return _receipt(row)
        if filing and row["stream"] != incoming.case_id:
            await self._keys.destroy(key.key_id if key is not None else "")  # drawn for nothing
        return await self._first_receipt(row, incoming)

    async def _receive(self, *arguments: Any) -> Any:
        """The row, new or known. Raises KeyDestroyed for an erased case, whose key this process may still remember."""
        try:
            with translated():
                return await self._pool.fetchrow(_RECEIVE, *arguments)
        except asyncpg.PostgresError as error:
            if error.sqlstate == _ERASED:
                raise KeyDestroyed(arguments[0]) from None
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
            row = await self._pool.fetchrow(_NEXT, stream)
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
            row = await self._pool.fetchrow("SELECT * FROM passage.receipt($1, $2)", source, message_id)
        return None if row is None or row["number"] is None else _receipt(row)

    async def has_undecided(self, case_id: str, kinds: Collection[str] | None = None) -> bool:  # noqa: D102  # the port
        with translated():
            found: bool = await self._pool.fetchval(
                "SELECT EXISTS (SELECT FROM passage.inbox "
                "WHERE stream = $1 AND answer IS NULL AND ($2::text[] IS NULL OR kind = ANY ($2)))",
                case_id,
                None if kinds is None else list(kinds),
            )
        return found

    async def waiting(self, stream: str, limit: int) -> tuple[Waiting, ...]:  # noqa: D102  # the port says it
        with translated():
            rows = await self._pool.fetch(
                "SELECT number, kind, source, received_at FROM passage.inbox "
                "WHERE stream = $1 AND answer IS NULL ORDER BY number LIMIT $2",
                stream,
                limit,
            )
        return tuple(Waiting(*row) for row in rows)

    async def claim_notifications(self, limit: int) -> tuple[UnnotifiedMessage, ...]:  # noqa: D102  # the port says it
        with translated():
            rows = await self._pool.fetch(_CLAIM, limit)
        return tuple(UnnotifiedMessage(*row) for row in rows)

    async def mark_notified(self, numbers: Iterable[int]) -> None:  # noqa: D102  # the port says it
        with translated():
            await self._pool.execute("SELECT passage.mark_notified($1)", list(numbers))


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
