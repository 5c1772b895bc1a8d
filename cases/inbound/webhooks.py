"""Signatures of Standard Webhooks 1.0: the sender signs a message's id, its time and its bytes with a key.

The signed content is `<id>.<timestamp>.<raw body>`, with HMAC-SHA256 (`v1`, a secret `whsec_…` that both sides hold)
or Ed25519 (`v1a`, the sender keeps `whsk_…`, the receiver holds only `whpk_…`). A dot in an id is not ambiguous: a
timestamp has only digits and a body is a JSON object, so no other split of the same bytes is a message.

The published package is not used: it supports only `v1`, and raises whatever its parsing raises.
"""

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Scheme = Literal["v1", "v1a"]

TOLERANCE_S: Final = 300
"""How far a message's timestamp may be from this machine's clock, either way (the specification's own value)."""
SIGNATURES_MAX: Final = 8
"""Signatures checked in one header; a sender that is changing its key sends two."""

_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_SECRET_BYTES: Final = range(24, 65)
_SEED_BYTES: Final = 32
_SIGNATURE_BYTES: Final[Mapping[str, int]] = {"v1": 32, "v1a": 64}

Fault = Literal["missing", "malformed", "stale", "wrong"]


class SignatureRefused(Exception):
    """The signature does not prove the sender. `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


class KeyMalformed(ValueError):
    """A text that is not a key of the expected kind. The error never repeats the text."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key that verifies a sender's signatures: `whsec_…`, or a public `whpk_…`."""

    scheme: Scheme
    fingerprint: str
    """Eight hex digits that name the key in the record and reveal nothing about it."""
    verifies: Callable[[bytes, bytes], bool] = field(repr=False)
    """Whether the second argument is the signature of the first; in constant time."""

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Raises `KeyMalformed`."""
        kind, raw = _decoded_key(text)
        fingerprint = hashlib.sha256(b"passage webhook key\0" + raw).hexdigest()[:8]
        if kind == "whsec" and len(raw) in _SECRET_BYTES:
            return cls("v1", fingerprint, lambda content, given: hmac.compare_digest(_hmac(raw, content), given))
        if kind == "whpk" and len(raw) == _SEED_BYTES:
            return cls("v1a", fingerprint, _ed25519_verifier(Ed25519PublicKey.from_public_bytes(raw)))
        raise KeyMalformed("a receiver's key is whsec_ and 24 to 64 bytes, or whpk_ and 32 bytes, in base64")


@dataclass(frozen=True, slots=True)
class Signer:
    """A key with which a sender signs: `whsec_…`, or a private `whsk_…`."""

    scheme: Scheme
    sign_bytes: Callable[[bytes], bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Signer":
        """Raises `KeyMalformed`."""
        kind, raw = _decoded_key(text)
        if kind == "whsec" and len(raw) in _SECRET_BYTES:
            return cls("v1", lambda content: _hmac(raw, content))
        if kind == "whsk" and len(raw) in (_SEED_BYTES, 2 * _SEED_BYTES):  # the seed, or the seed and its public key
            key = Ed25519PrivateKey.from_private_bytes(raw[:_SEED_BYTES])
            if raw[_SEED_BYTES:] in (b"", key.public_key().public_bytes_raw()):
                return cls("v1a", key.sign)
        raise KeyMalformed("a sender's key is whsec_ and 24 to 64 bytes, or whsk_ and 32 or 64 bytes, in base64")


def sign(keys: Iterable[Signer], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of one attempt to deliver `body` at the machine's time `at`; each attempt is signed again."""
    timestamp = str(int(at.timestamp()))
    content = _content(message_id, timestamp, body)
    signatures = (f"{key.scheme},{base64.b64encode(key.sign_bytes(content)).decode()}" for key in keys)
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": " ".join(signatures)}


def verify(
    keys: Iterable[Verifier], message_id: str, timestamp: str | None, signature: str | None, body: bytes, now: datetime
) -> Verifier:
    """The key that signed this message. `now` is the machine's time, not domain time.

    Raises:
        SignatureRefused: a header is missing or malformed, the timestamp is more than `TOLERANCE_S` from `now`, or no
            signature is by one of `keys`.
    """
    if timestamp is None or signature is None:
        raise SignatureRefused("missing")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureRefused("malformed")
    given = _parsed(signature)
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_S:
        raise SignatureRefused("stale")
    content = _content(message_id, timestamp, body)
    for key in keys:
        if any(scheme == key.scheme and key.verifies(content, signed) for scheme, signed in given):
            return key
    raise SignatureRefused("wrong")


def _parsed(header: str) -> list[tuple[str, bytes]]:
    """The signatures of a header. Those of unknown schemes are skipped, as the specification requires."""
    parts = header.split()
    if not parts or len(parts) > SIGNATURES_MAX:
        raise SignatureRefused("malformed")
    found = []
    for part in parts:
        scheme, comma, text = part.partition(",")
        if not comma:
            raise SignatureRefused("malformed")
        if scheme in _SIGNATURE_BYTES:
            found.append((scheme, _decoded_signature(text, _SIGNATURE_BYTES[scheme])))
    return found


def _decoded_signature(text: str, length: int) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error is one, and so is text that is not ASCII
        raise SignatureRefused("malformed") from None
    if len(raw) != length:
        raise SignatureRefused("malformed")
    return raw


def _decoded_key(text: str) -> tuple[str, bytes]:
    kind, underscore, encoded = text.partition("_")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise KeyMalformed("a key is a prefix, an underscore, and base64") from None
    return (kind if underscore else ""), raw


def _content(message_id: str, timestamp: str, body: bytes) -> bytes:
    return b".".join((message_id.encode(), timestamp.encode(), body))


def _hmac(secret: bytes, content: bytes) -> bytes:
    return hmac.digest(secret, content, "sha256")


def _ed25519_verifier(key: Ed25519PublicKey) -> Callable[[bytes, bytes], bool]:
    def verifies(content: bytes, given: bytes) -> bool:
        try:
            key.verify(given, content)
        except InvalidSignature:
            return False
        return True

    return verifies


def new_shared_key() -> str:
    """A random `whsec_…`."""
    return f"whsec_{base64.b64encode(os.urandom(32)).decode()}"


def new_key_pair() -> tuple[str, str]:
    """A random `whsk_…`, for the sender alone, and its `whpk_…`, for the receiver."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    private = base64.b64encode(key.private_bytes_raw() + public).decode()
    return f"whsk_{private}", f"whpk_{base64.b64encode(public).decode()}"
