"""From the events of an append to rows, and from rows back to events: coding, encryption and the chain together."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.kernel.ids import event_id
from eventstore.conflicts import IllegalAppend
from eventstore.format.codec import CODEC, Codec, Event, name_of
from eventstore.format.envelope import NO_HASH, Columns, Envelope, bound_to, seal
from eventstore.keys import CaseKey
from eventstore.port import MAX_EVENTS_PER_APPEND, Append, Stored, Stream
from eventstore.summary import CaseSummary, ProgrammeSummary


def needs_key(append: Append, codec: Codec = CODEC) -> bool:
    """Whether any of its events is personal."""
    return any(codec.is_personal(event) for event in append.events)


def wrap(append: Append, key: CaseKey | None, recorded_at: datetime, codec: Codec = CODEC) -> tuple[Envelope, ...]:
    """The rows that the append adds, each chained to the one before it.

    Raises:
        IllegalAppend: it does not hang together; see `check`.
    """
    check(append)
    rows: list[Envelope] = []
    previous = append.previous_hash
    for version, event in enumerate(append.events, start=append.expected_version + 1):
        row = seal(_columns(append, event, version, key, recorded_at, codec), previous)
        previous = row.hash
        rows.append(row)
    return tuple(rows)


def _columns(
    append: Append, event: Event, version: int, key: CaseKey | None, recorded_at: datetime, codec: Codec
) -> Columns:
    name, identity = name_of(type(event)), event_id(append.stream, version)
    public, personal = codec.encode(event)
    encrypted = None
    if personal is not None:
        if key is None:
            raise IllegalAppend(f"{name} is personal and {append.stream} has no key")
        encrypted = key.encrypt(personal, bound_to(append.stream, version, name, identity))
    return Columns(
        stream=append.stream,
        version=version,
        event_id=identity,
        type=name,
        schema_version=event.SCHEMA_VERSION,
        happened_at=event.at,
        recorded_at=recorded_at,
        actor=append.proof.actor,
        command_id=append.command_id,
        key_id=key.key_id if key is not None and encrypted is not None else None,
        rules_digest=append.rules_digest,
        public_body=public,
        encrypted_body=encrypted,
        proof=str(append.proof),
        message_digest=append.message_digest,
        received_at=append.received_at,
    )


def check(append: Append) -> None:
    """What no store could mend afterwards.

    Raises:
        IllegalAppend: says what is wrong.
    """
    of_programme = append.stream == append.programme
    expected = ProgrammeSummary if of_programme else CaseSummary
    if len(append.events) > MAX_EVENTS_PER_APPEND:
        raise IllegalAppend(f"more than {MAX_EVENTS_PER_APPEND} events in one append")
    if append.events and not isinstance(append.summary, expected):
        raise IllegalAppend("events without the summary of their stream")
    if not append.events and append.expected_version == 0 and not of_programme:
        raise IllegalAppend("a case begins with an event")
    if append.expected_version == 0 and append.previous_hash != NO_HASH:
        raise IllegalAppend("a new stream has no previous hash")
    if append.notifies is not None and not of_programme:
        raise IllegalAppend("only the programme notifies every case")
    if len(append.message_digest) != 32 or len(append.previous_hash) != 32:
        raise IllegalAppend("a digest or hash is not 32 bytes")


def unwrap(rows: Sequence[Envelope], keys: Mapping[str, CaseKey | None], codec: Codec = CODEC) -> Stream:
    """The stream of these rows; `keys` has every key id among them, None where the key is destroyed."""
    if not rows:
        return Stream()
    events = tuple(unwrap_one(row, keys, codec) for row in rows)
    return Stream(events, rows[-1].version, rows[-1].hash)


def unwrap_one(row: Envelope, keys: Mapping[str, CaseKey | None], codec: Codec = CODEC) -> Stored:
    """One row, decrypted, brought to today's schema version and validated."""
    personal, erased = None, False
    if row.encrypted_body is not None and row.key_id is not None:
        key = keys[row.key_id]
        if key is None:
            erased = True
        else:
            personal = key.decrypt(row.encrypted_body, bound_to(row.stream, row.version, row.type, row.event_id))
    return Stored(
        row.stream,
        row.version,
        row.event_id,
        row.type,
        row.schema_version,
        codec.decode(row.type, row.schema_version, row.happened_at, row.public_body, personal),
        row.happened_at,
        row.recorded_at,
        row.actor,
        row.proof,
        row.received_at,
        row.command_id,
        row.hash,
        erased,
    )
