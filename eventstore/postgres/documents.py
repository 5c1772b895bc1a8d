"""Documents over Postgres."""

import hashlib
from collections.abc import Mapping
from typing import Final

import asyncpg

from eventstore.documents import DOCUMENTS_MAX, KeptDocument, ListedDocument, NewDocument, TooManyDocuments
from eventstore.inbox import UnknownStream
from eventstore.keys import CaseKey, KeyDestroyed, KeyStore, KeyUnknown
from eventstore.postgres.session import Statement, call, translated

_OF_DOCUMENT: Final = ("case", "digest", "media_type", "key_id", "content", "received_at", "sender", "most")
_KEEP: Final = Statement(f"SELECT {call('passage.keep_document', _OF_DOCUMENT)}")
_FIND: Final = Statement(
    "SELECT media_type, content FROM passage.document WHERE case_id = :case_id AND digest = :digest"
)
_LIST: Final = Statement("""
SELECT digest, media_type, received_at, sender FROM passage.document
WHERE case_id = :case_id ORDER BY received_at, digest
""")

_REFUSED: Final[Mapping[str, type[Exception]]] = {
    "unknown-case": UnknownStream,
    "erased": KeyDestroyed,
    "too-many": TooManyDocuments,
}


class PostgresDocuments:
    """Keeps and reads documents; the function is in `sql/documents.sql`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", keys: KeyStore) -> None:
        self._pool = pool
        self._keys = keys

    async def keep(self, new: NewDocument) -> bool:
        """Keep it durably; False where the case has it already, whoever sent it then.

        Raises:
            UnknownStream: nobody filed the case.
            KeyDestroyed: its personal data was erased.
            TooManyDocuments: it has `DOCUMENTS_MAX`.
            StoreUnavailable: to be retried.
        """
        key = await self._key(new.case_id)
        digest = _digest(key, hashlib.sha256(new.content).digest())
        sealed = key.encrypt(new.content, _bound_to(new.case_id, digest, new.media_type))
        with translated():
            status: str = await self._pool.fetchval(
                *_KEEP(
                    case=new.case_id, digest=digest, media_type=new.media_type, key_id=key.key_id, content=sealed,
                    received_at=new.received_at, sender=new.sender, most=DOCUMENTS_MAX,
                )
            )  # fmt: skip
        if status in _REFUSED:
            raise _REFUSED[status](new.case_id)
        return status == "kept"

    async def find(self, case_id: str, sha256: bytes) -> KeptDocument | None:
        """The document whose content has this hash; None where the case has none.

        Raises:
            UnknownStream: nobody filed the case.
            KeyDestroyed: its personal data was erased.
            StoreUnavailable: to be retried.
        """
        digest = _digest(await self._key(case_id), sha256)
        with translated():
            row = await self._pool.fetchrow(*_FIND(case_id=case_id, digest=digest))
        return None if row is None else KeptDocument(case_id, digest, row["media_type"], row["content"])

    async def reveal(self, kept: KeptDocument) -> bytes:
        """What it holds; who is shown that is on record before (`viewing.py`). Raises as `find`."""
        key = await self._key(kept.case_id)
        return key.decrypt(kept.sealed, _bound_to(kept.case_id, kept.digest, kept.media_type))

    async def listed(self, case_id: str) -> tuple[ListedDocument, ...]:
        """What the case has, oldest first. Each is opened to learn its hash, one at a time; nothing of it is given out.

        Raises as `find`.
        """
        key = await self._key(case_id)
        with translated():
            rows = await self._pool.fetch(*_LIST(case_id=case_id))
        found: list[ListedDocument] = []
        for row in rows:
            with translated():
                found_again = await self._pool.fetchrow(*_FIND(case_id=case_id, digest=row["digest"]))
            if found_again is not None:  # erased meanwhile
                content = key.decrypt(found_again["content"], _bound_to(case_id, row["digest"], row["media_type"]))
                sha256 = hashlib.sha256(content).hexdigest()
                found.append(ListedDocument(sha256, row["media_type"], len(content), row["received_at"], row["sender"]))
        return tuple(found)

    async def _key(self, case_id: str) -> CaseKey:
        try:
            return await self._keys.get(case_id)
        except KeyUnknown:
            raise UnknownStream(case_id) from None


def _digest(key: CaseKey, sha256: bytes) -> bytes:
    """What the row is found by: once the key is destroyed, it tells nothing."""
    return key.digest(b"document\n" + sha256)


def _bound_to(case_id: str, digest: bytes, media_type: str) -> bytes:
    return f"document\n{case_id}\n{digest.hex()}\n{media_type}".encode()
