"""An event's header, written anew from its columns: equal bytes mean equal columns, bodies and chain.

Where the bytes differ, the header is read as JSON to say what exactly differs.
"""

import hashlib
import json
from json.encoder import encode_basestring
from typing import Any, Final

from audit.verify.faults import Code
from eventstore.format.envelope import canonical

Row = Any
"""A row of `passage.events` by position, as `SELECTED` has it: its moments are text. The positions are named below."""

COLUMNS: Final = (
    "stream", "version", "event_id", "type", "schema_version", "happened_at", "recorded_at", "actor", "command_id",
    "key_id", "rules_digest", "public_body", "encrypted_body", "proof", "message_digest", "received_at",
    "header", "hash",
)  # fmt: skip
(STREAM, VERSION, EVENT_ID, TYPE, SCHEMA_VERSION, HAPPENED_AT, RECORDED_AT, ACTOR, COMMAND_ID, KEY_ID, RULES_DIGEST,
 PUBLIC_BODY, ENCRYPTED_BODY, PROOF, MESSAGE_DIGEST, RECEIVED_AT, HEADER, HASH) = range(len(COLUMNS))  # fmt: skip
"""Reading by position is what a verification does most; by name it takes twice as long."""
_AS_TEXT: Final = """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
SELECTED: Final = ", ".join(_AS_TEXT.format(f"e.{name}") if name.endswith("_at") else f"e.{name}" for name in COLUMNS)
"""The columns of `passage.events AS e` in that order."""
_SAME: Final = (*COLUMNS[EVENT_ID:PUBLIC_BODY], "proof", "received_at")
"""Columns that stand in the header as they are."""
_DERIVED: Final = {"public_body_sha256": "public_body", "encrypted_body_sha256": "encrypted_body"}

_quoted: Any = encode_basestring
_sha256 = hashlib.sha256


def agrees(row: Row, previous_hash: bytes) -> bool:
    """Whether the stored header is exactly that of these columns after an event with this hash."""
    (stream, version, event_id, kind, schema_version, happened_at, recorded_at, actor, command_id, key_id, digest,
     public, encrypted, proof, message_digest, received_at, header) = row[:HASH]  # fmt: skip
    sealed = "null" if encrypted is None else f'"{_sha256(encrypted).hexdigest()}"'
    wanted = (
        f'{{"actor":{_quoted(actor)},"command_id":{_quoted(command_id)},"encrypted_body_sha256":{sealed},'
        f'"event_id":{_quoted(event_id)},"happened_at":"{happened_at}",'
        f'"key_id":{"null" if key_id is None else _quoted(key_id)},"message_digest":"{message_digest.hex()}",'
        f'"previous_hash":"{previous_hash.hex()}","proof":{_quoted(proof)},'
        f'"public_body_sha256":"{_sha256(public).hexdigest()}",'
        f'"received_at":{"null" if received_at is None else _quoted(received_at)},"recorded_at":"{recorded_at}",'
        f'"rules_digest":{"null" if digest is None else _quoted(digest)},"schema_version":{schema_version},'
        f'"stream":{_quoted(stream)},"type":{_quoted(kind)},"version":{version}}}'
    )
    return bool(header == wanted.encode())


def differences(row: Row, previous_hash: bytes) -> list[tuple[Code, str]]:
    """Why `agrees` said no: codes, and what differs."""
    named = dict(zip(COLUMNS, row[: len(COLUMNS)], strict=True))
    try:
        header = json.loads(named["header"])
        if not isinstance(header, dict) or canonical(header) != named["header"]:
            raise ValueError("not canonical")
    except ValueError:
        return [(Code.HEADER_MALFORMED, "the header is not canonical JSON")]
    if header.get("stream") != named["stream"]:
        return [(Code.EVENT_MOVED, f"its header says {header.get('stream')}")]
    if header.get("version") != named["version"]:
        return [(Code.EVENT_REORDERED, f"its header says version {header.get('version')}")]
    found = [(Code.BODY_EDITED, f"the {column} is not the one hashed") for column in _bodies_that_differ(header, named)]
    if header.get("message_digest") != named["message_digest"].hex():
        found.append((Code.COLUMN_EDITED, "message_digest"))
    found += [(Code.COLUMN_EDITED, column) for column in _columns_that_differ(header, named)]
    if header.get("previous_hash") != previous_hash.hex():
        found.append((Code.CHAIN_BROKEN, "it does not follow the event before it"))
    return found or [(Code.HEADER_MALFORMED, "the header has other keys than an event's")]


def _bodies_that_differ(header: dict[str, Any], named: dict[str, Any]) -> list[str]:
    return [
        column
        for key, column in _DERIVED.items()
        if header.get(key) != (None if named[column] is None else _sha256(named[column]).hexdigest())
    ]


def _columns_that_differ(header: dict[str, Any], named: dict[str, Any]) -> list[str]:
    return [name for name in _SAME if header.get(name) != named[name]]
