"""The inbox in memory, for tests that need no server; its clock for notifying again is the machine's."""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from eventstore.format.messages import FILING, digest_again
from eventstore.inbox import (
    Answer,
    InboxRow,
    Incoming,
    MessageContentDiffers,
    Receipt,
    UnknownStream,
    UnnotifiedMessage,
    Waiting,
)
from eventstore.keys import KeyDestroyed, KeyStore, KeyUnknown

_NOTIFY_AGAIN_S = 30.0


@dataclass(slots=True)
class _Row:
    row: InboxRow
    persons: tuple[bytes, ...] = ()
    answer: Answer | None = None
    code: str | None = None
    rung_at: float | None = None


class MemoryInbox:
    """`Inbox` over a dictionary. `programme_of` and `applied_to` look a case up in the store's heads."""

    def __init__(
        self,
        keys: KeyStore,
        programme_of: Callable[[str], str | None],
        applied_to: Callable[[str], datetime | None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._programme_of = programme_of
        self._applied_to = applied_to
        self._monotonic = monotonic
        self._rows: dict[int, _Row] = {}
        self._number = 0
        self._erased: set[str] = set()

    async def receive(self, incoming: Incoming) -> Receipt:  # noqa: D102  # the port says it
        known = self._find(incoming.source, incoming.message_id)
        if known is not None:
            return await self._first_receipt(known, incoming)
        filing = incoming.body.message == FILING
        stream = incoming.case_id or incoming.programme or ""
        if stream in self._erased:
            raise KeyDestroyed(stream)
        programme = incoming.programme if filing else self.programme_of(stream)
        if programme is None:
            raise UnknownStream(stream)
        key = None
        try:
            if incoming.case_id is not None:
                key = await (self._keys.create(stream) if filing else self._keys.get(stream))
        except KeyUnknown:
            raise UnknownStream(stream) from None
        known = self._find(incoming.source, incoming.message_id)  # another may have come while the key was made
        if known is not None:
            return await self._first_receipt(known, incoming)
        received_at = max((incoming.received_at, *self._not_before(stream)))
        row = self._write(
            stream, incoming.case_id, programme, incoming, received_at, digest_again(incoming, key)
        )  # fmt: skip
        return self._receipt(row, first=True)

    def _not_before(self, stream: str) -> tuple[datetime, ...]:
        """The deadline that the case applied last, and the moments of the messages numbered before."""
        applied = self._applied_to(stream)
        came = (
            kept.row.received_at
            for kept in self._rows.values()
            if kept.row.stream == stream and kept.row.source != "passage"
        )
        return (*(() if applied is None else (applied,)), *came)

    def programme_of(self, stream: str) -> str | None:
        """The programme of the case, filed or about to be."""
        filed = (kept.row.programme for kept in self._rows.values() if kept.row.stream == stream)
        return self._programme_of(stream) or next(filed, None)

    def _write(
        self, stream: str, case_id: str | None, programme: str, incoming: Incoming, received_at: datetime, digest: bytes
    ) -> _Row:
        row = InboxRow(
            number=self.next_number(),
            stream=stream,
            case_id=case_id,
            programme=programme,
            source=incoming.source,
            message_id=incoming.message_id,
            kind=incoming.body.message,
            body=incoming.body,
            digest=digest,
            received_at=received_at,
            sender=incoming.sender,
        )
        self._rows[row.number] = _Row(row, incoming.person_keys)
        return self._rows[row.number]

    def next_number(self) -> int:
        """The next number of the one sequence that messages and unmessaged filings share."""
        self._number += 1
        return self._number

    def notify(self, case_id: str, programme: str, body: object, now: datetime) -> tuple[int, str]:
        """A row from `passage` itself; its number and message id."""
        kind: str = body.message  # type: ignore[attr-defined]  # a message of the domain
        incoming = Incoming(
            source="passage",
            message_id=f"{kind}:{self._number + 1}",
            case_id=case_id,
            programme=programme,
            body=body,
            received_at=now,
            sender="passage",
        )
        written = self._write(case_id, case_id, programme, incoming, now, digest_again(incoming, None)).row
        return written.number, written.message_id

    def close(self, stream: str) -> None:
        """The case was erased: it takes nothing more."""
        self._erased.add(stream)

    def is_decided(self, stream: str, number: int) -> bool:
        """Whether the row has its answer, or does not exist."""
        kept = self._rows.get(number)
        return kept is None or kept.row.stream != stream or kept.answer is not None

    def was_decided_as(self, number: int, answer: Answer, code: str | None, command_id: str) -> bool:
        """Whether the row got exactly this answer by its own command."""
        kept = self._rows.get(number)
        return kept is not None and (kept.answer, kept.code, f"{kept.row.source}:{kept.row.message_id}") == (
            answer,
            code,
            command_id,
        )

    def decide(self, number: int, answer: Answer, code: str | None) -> None:
        """Give the row its answer."""
        self._rows[number].answer, self._rows[number].code = answer, code

    def pending_filing(self, keys: Collection[bytes], before: int) -> bool:
        """Whether a filing of one of these persons was received before that number and is undecided."""
        return any(
            kept.answer is None and kept.row.number < before and not set(keys).isdisjoint(kept.persons)
            for kept in self._rows.values()
        )

    def filing_number(self, case_id: str) -> int | None:
        """The number of the case's filing, decided or not."""
        rows = (kept.row for kept in self._rows.values() if kept.row.stream == case_id and kept.row.kind == FILING)
        return next((row.number for row in rows), None)

    def undecided(self, stream: str | None = None) -> list[InboxRow]:
        """Undecided rows, of the stream if it is named, by number."""
        return [
            kept.row
            for kept in self._rows.values()
            if kept.answer is None and (stream is None or kept.row.stream == stream)
        ]

    async def next_undecided(self, stream: str) -> InboxRow | None:  # noqa: D102  # the port says it
        row = next(iter(self.undecided(stream)), None)
        if row is None or row.case_id is None or row.source == "passage":
            return row
        key = await self._keys.get(row.case_id)  # an erased case can be read no more here either
        return replace(row, digest=key.digest(row.body.model_dump_json().encode()))

    async def get(self, source: str, message_id: str) -> Receipt | None:  # noqa: D102  # the port says it
        known = self._find(source, message_id)
        return None if known is None else self._receipt(known, first=False)

    async def has_undecided(self, case_id: str, kinds: Collection[str] | None = None) -> bool:  # noqa: D102  # the port
        return any(kinds is None or row.kind in kinds for row in self.undecided(case_id))

    async def waiting(self, stream: str, limit: int) -> tuple[Waiting, ...]:  # noqa: D102  # the port says it
        rows = self.undecided(stream)[:limit]
        return tuple(Waiting(row.number, row.kind, row.source, row.received_at) for row in rows)

    async def claim_notifications(self, limit: int) -> tuple[UnnotifiedMessage, ...]:  # noqa: D102  # the port says it
        now = self._monotonic()
        due = [
            kept
            for kept in self._rows.values()
            if kept.answer is None and (kept.rung_at is None or kept.rung_at < now - _NOTIFY_AGAIN_S)
        ][:limit]
        for kept in due:
            kept.rung_at = now
        return tuple(
            UnnotifiedMessage(each.row.number, each.row.stream, each.row.case_id, each.row.message_id, each.row.kind)
            for each in due
        )

    async def mark_notified(self, numbers: Iterable[int]) -> None:  # noqa: D102  # the port says it
        for number in numbers:
            self._rows[number].rung_at = self._monotonic()

    def _find(self, source: str, message_id: str) -> _Row | None:
        return next(
            (kept for kept in self._rows.values() if (kept.row.source, kept.row.message_id) == (source, message_id)),
            None,
        )

    async def _first_receipt(self, known: _Row, incoming: Incoming) -> Receipt:
        key = None if known.row.case_id is None else await self._keys.get(known.row.case_id)
        same_stream = known.row.stream == (incoming.case_id or incoming.programme)
        if not (same_stream or incoming.body.message == FILING) or digest_again(incoming, key) != known.row.digest:
            raise MessageContentDiffers(f"{incoming.source}:{incoming.message_id}")
        return self._receipt(known, first=False)

    def _receipt(self, kept: _Row, *, first: bool) -> Receipt:
        row = kept.row
        return Receipt(
            row.number, row.stream, row.case_id, row.message_id, first, row.received_at, kept.answer, kept.code
        )
