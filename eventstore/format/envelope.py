"""The stored format of an event: its columns, its canonical header and its hash (design.md, "The stored format").

The header is JSON with sorted keys, no whitespace, UTF-8, moments as RFC 3339 UTC with microseconds and bytes in hex.
It holds every column, the SHA-256 of each body and the previous hash. What is hashed is
exactly the stored bytes, so nobody has to agree on how to write JSON to verify them.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

NO_HASH = bytes(32)
"""The previous hash of a stream's first event."""


class Columns(NamedTuple):
    """The columns of `passage.events` that say what happened.

    `proof` is a `Proof` as text. `message_digest` is of the message that led to the event, keyed under the case's key;
    where there was none, of the command. `received_at` is when that message came in, None where there was none.
    """

    stream: str
    version: int
    event_id: str
    type: str
    schema_version: int
    happened_at: datetime
    recorded_at: datetime
    actor: str
    command_id: str
    key_id: str | None
    rules_digest: str | None
    public_body: bytes
    encrypted_body: bytes | None
    proof: str
    message_digest: bytes
    received_at: datetime | None


class Envelope(NamedTuple):
    """One row of `passage.events`: `Columns` and what seals them. A tuple, as a row is: a replay makes millions."""

    stream: str
    version: int
    event_id: str
    type: str
    schema_version: int
    happened_at: datetime
    recorded_at: datetime
    actor: str
    command_id: str
    key_id: str | None
    rules_digest: str | None
    public_body: bytes
    encrypted_body: bytes | None
    proof: str
    message_digest: bytes
    received_at: datetime | None
    header: bytes
    hash: bytes


EVENT_COLUMNS = ", ".join(Envelope._fields)
"""As a statement names them; `Envelope._make` takes such a row."""


def machine_clock() -> datetime:
    """The moment an event is recorded, by this machine."""
    return datetime.now(UTC)


def moment(at: datetime) -> str:
    """RFC 3339 in UTC with exactly six decimals: one way to write each moment."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def leaf_hash(header: bytes) -> bytes:
    """SHA-256(0x00 ‖ header): the leaf hash of RFC 9162, section 2.1.1."""
    return hashlib.sha256(b"\x00" + header).digest()


def bound_to(stream: str, version: int, event_type: str, event_id: str) -> bytes:
    """What the encrypted body is authenticated with: moved to another event it does not decrypt."""
    return f"{stream}\n{version}\n{event_type}\n{event_id}".encode()


def seal(columns: Columns, previous_hash: bytes) -> Envelope:
    """The row, with its header and hash computed."""
    header = header_of(columns, previous_hash)
    return Envelope(*columns, header, leaf_hash(header))


def header_of(columns: Columns | Envelope, previous_hash: bytes) -> bytes:
    """The canonical header of these columns."""
    encrypted = columns.encrypted_body
    return canonical(
        {
            "stream": columns.stream,
            "version": columns.version,
            "event_id": columns.event_id,
            "type": columns.type,
            "schema_version": columns.schema_version,
            "happened_at": moment(columns.happened_at),
            "recorded_at": moment(columns.recorded_at),
            "actor": columns.actor,
            "command_id": columns.command_id,
            "proof": columns.proof,
            "message_digest": columns.message_digest.hex(),
            "received_at": None if columns.received_at is None else moment(columns.received_at),
            "key_id": columns.key_id,
            "rules_digest": columns.rules_digest,
            "public_body_sha256": hashlib.sha256(columns.public_body).hexdigest(),
            "encrypted_body_sha256": None if encrypted is None else hashlib.sha256(encrypted).hexdigest(),
            "previous_hash": previous_hash.hex(),
        }
    )


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(content: dict[str, Any]) -> bytes:
    """JSON with sorted keys, no whitespace, UTF-8."""
    return _CANONICAL.encode(content).encode()
