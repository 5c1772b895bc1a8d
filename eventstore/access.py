"""The access log: who viewed, exported or asked about a case, and legal holds; one stream a programme, in the same log.

It writes the same envelopes as any append. Nobody decides anything from an access stream, so a caller names no expected
version: appends to one stream wait for each other. Boarding checks, which may not wait, are noted first and recorded
together a moment later.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.access import AccessEvent, BoardingChecked, HistoryStored, access_stream
from domain.kernel.ids import Code, CommandId, event_id
from domain.kernel.proof import Proof
from eventstore.conflicts import IllegalAppend
from eventstore.format.codec import Codec, name_of
from eventstore.format.envelope import Columns, Envelope, seal

MAX_EVENTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRecord:
    """What is recorded together."""

    programme: str
    command_id: CommandId
    proof: Proof
    """By what whoever did it was known."""
    events: tuple[AccessEvent, ...]
    history: bytes | None = None
    """The packed history (`histories.py`) that the record's one event, a `HistoryStored`, tells of; kept with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedCheck:
    """An answer that a carrier is about to be given."""

    programme: str
    carrier: str
    """By what the carrier was known: its proof, as text."""
    case_id: str
    answer: Code
    checked_at: datetime
    """Domain time."""

    @property
    def event(self) -> BoardingChecked:
        """What the access stream will say."""
        return BoardingChecked(at=self.checked_at, case=self.case_id, answer=self.answer)


class AccessLog(Protocol):
    """Records access; read it back with `EventStore.load(access_stream(programme))`."""

    async def record(self, record: AccessRecord) -> int:
        """Append all or nothing, with what a hold changes; the stream's version after it.

        The same command again gives the first result.

        Raises:
            CommandContentDiffers: the command came before with other content.
            IllegalAppend: no event, more than `MAX_EVENTS`, or a `HistoryStored` without its history.
        """
        ...

    async def kept(self, runs: Collection[str]) -> frozenset[str]:
        """Those of these runs whose history is kept."""
        ...

    async def note_check(self, check: NotedCheck) -> None:
        """Keep a boarding check, durably, without waiting for any other; `record_checks` makes it an event."""
        ...

    async def record_checks(self) -> int:
        """Append the oldest noted checks of one carrier, at most `MAX_EVENTS`; how many, 0 where none is left.

        Each becomes one event, whoever dies in between and however many do this at once.
        """
        ...

    async def is_held(self, case_id: str) -> bool:
        """Whether a legal hold keeps the case from erasure."""
        ...


def digest_of(record: AccessRecord, codec: Codec) -> bytes:
    """The digest of the command: its events' content, without the moment, which a repetition need not share."""
    return hashlib.sha256(b"\n".join(codec.encode(event)[0] for event in record.events)).digest()


def _check(record: AccessRecord) -> None:
    if not 0 < len(record.events) <= MAX_EVENTS:
        raise IllegalAppend(f"an access record has 1 to {MAX_EVENTS} events")
    if (record.history is not None) != any(isinstance(event, HistoryStored) for event in record.events):
        raise IllegalAppend("a history and its HistoryStored are recorded together")
    if record.history is not None and len(record.events) > 1:
        raise IllegalAppend("a history is recorded by itself")


def wrap_access(
    record: AccessRecord, version: int, previous_hash: bytes, recorded_at: datetime, codec: Codec
) -> tuple[Envelope, ...]:
    """The rows that follow `version` and `previous_hash` of the stream. Raises IllegalAppend."""
    _check(record)
    stream, digest = access_stream(record.programme), digest_of(record, codec)
    rows: list[Envelope] = []
    for number, event in enumerate(record.events, start=version + 1):
        columns = Columns(
            stream=stream,
            version=number,
            event_id=event_id(stream, number),
            type=name_of(type(event)),
            schema_version=event.SCHEMA_VERSION,
            happened_at=event.at,
            recorded_at=recorded_at,
            actor=record.proof.actor,
            command_id=record.command_id,
            key_id=None,
            rules_digest=None,
            public_body=codec.encode(event)[0],
            encrypted_body=None,
            proof=str(record.proof),
            message_digest=digest,
            received_at=None,
        )
        rows.append(seal(columns, previous_hash))
        previous_hash = rows[-1].hash
    return tuple(rows)


def record_of_checks(first: int, checks: Sequence[NotedCheck]) -> AccessRecord:
    """The record of these checks, which share programme and carrier; `first` is the lowest of their numbers.

    A number is noted once and recorded once, so the command id is used once.
    """
    return AccessRecord(
        programme=checks[0].programme,
        command_id=CommandId(f"boarding-checks:{first}"),
        proof=Proof.parse(checks[0].carrier),
        events=tuple(check.event for check in checks),
    )
