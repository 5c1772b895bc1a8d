"""Signed notes (c2sp.org/signed-note): text, a blank line, and signature lines of keys that somebody knows. Pure.

A line of a key that is not known is ignored, so that witnesses may add theirs; a line of a known key must verify.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519: Final = 1
"""The signature type byte of plain Ed25519."""
_NOTE_BYTES_MAX: Final = 1_000_000
_LINES_MAX: Final = 100


class NoteMalformed(Exception):
    """Not a signed note."""


class NoteForged(Exception):
    """No known key signed it, or the line of a known key does not verify."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A known key: its name, and 32 bytes of Ed25519."""

    name: str
    public_key: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """From a verifier key string, `<name>+<key id in hex>+<base64>`. Raises NoteMalformed."""
        name, _, rest = text.strip().partition("+")
        key_id, _, material = rest.partition("+")
        key = _decoded(material)
        if not _is_name(name) or len(key) != 33 or key[0] != ED25519:
            raise NoteMalformed("not a verifier key of type Ed25519")
        found = cls(name, key[1:])
        if found.key_id.hex() != key_id:
            raise NoteMalformed("the verifier key's id is not that of its name and key")
        return found

    @property
    def key_id(self) -> bytes:
        """Four bytes that, with the name, say which key signed."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([ED25519]) + self.public_key).digest()[:4]

    def __str__(self) -> str:
        """The verifier key string."""
        material = base64.b64encode(bytes([ED25519]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether `signature` is this key's over `text`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        """The line, with its end."""
        return f"\N{EM DASH} {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note taken apart; nothing is verified yet."""

    text: str
    """With its last newline: exactly what was signed."""
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, content: str) -> Self:
        """Raises NoteMalformed."""
        if len(content) > _NOTE_BYTES_MAX or any(sign < " " and sign != "\n" for sign in content):
            raise NoteMalformed("too long, or holds control characters")
        text, blank, lines = content.rpartition("\n\n")
        if not blank or not lines.endswith("\n") or lines.count("\n") > _LINES_MAX:
            raise NoteMalformed("no signature lines after a blank line")
        return cls(text + "\n", tuple(_signature(line) for line in lines[:-1].split("\n")))

    def __str__(self) -> str:
        """The whole note."""
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    def verified_by(self, verifiers: Iterable[Verifier]) -> tuple[str, ...]:
        """The names of the known keys that signed it.

        Raises:
            NoteForged: none of them did, or a line in the name of one of them does not verify.
        """
        known = {(each.name, each.key_id): each for each in verifiers}
        found: list[str] = []
        for line in self.signatures:
            verifier = known.get((line.name, line.key_id))
            if verifier is None:
                continue
            if not verifier.verifies(self.text, line.signature):
                raise NoteForged(f"the signature in the name of {line.name} does not verify")
            found.append(line.name)
        if not found:
            raise NoteForged("no known key signed it")
        return tuple(found)


def _signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    content = _decoded(encoded)
    if dash != "\N{EM DASH}" or not _is_name(name) or len(content) < 5:
        raise NoteMalformed("a line among the signatures is none")
    return Signature(name, content[:4], content[4:])


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteMalformed("not base64") from None


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(sign.isspace() for sign in name)
