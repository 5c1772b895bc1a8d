"""Signed notes (c2sp.org/signed-note): text, a blank line, and signature lines of keys that somebody knows. Pure.

A line of a key that is not known is ignored, so that witnesses may add theirs; a line of a known key must verify.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, Self

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

    SIGNATURE_TYPE: ClassVar[int] = ED25519

    name: str
    public_key: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """From a verifier key string, `<name>+<key id in hex>+<base64>`. Raises NoteMalformed."""
        name, _, rest = text.strip().partition("+")
        key_id, _, material = rest.partition("+")
        key = _decoded(material)
        if not _is_name(name) or len(key) != 33 or key[0] != cls.SIGNATURE_TYPE:
            raise NoteMalformed(f"not a verifier key of type {cls.SIGNATURE_TYPE} (Ed25519)")
        found = cls(name, key[1:])
        if found.key_id.hex() != key_id:
            raise NoteMalformed("the verifier key's id is not that of its name and key")
        return found

    @property
    def key_id(self) -> bytes:
        """Four bytes that, with the name, say which key signed."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._material).digest()[:4]

    @property
    def line_start(self) -> str:
        """How each of its signature lines begins: as much of the key's id as its base64 has for itself."""
        return f"\N{EM DASH} {self.name} {base64.b64encode(self.key_id).decode()[:5]}"

    @property
    def _material(self) -> bytes:
        return bytes([self.SIGNATURE_TYPE]) + self.public_key

    def __str__(self) -> str:
        """The verifier key string."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self._material).decode()}"

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether `signature` is this key's over `text`."""
        return is_signed(self.public_key, signature, text)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line."""

    name: str
    key_id: bytes
    signature: bytes

    @classmethod
    def parse(cls, line: str) -> Self:
        """From a line without its end. Raises NoteMalformed."""
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        content = _decoded(encoded)
        if dash != "\N{EM DASH}" or not _is_name(name) or len(content) < 5:
            raise NoteMalformed("a line among the signatures is none")
        return cls(name, content[:4], content[4:])

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
        return cls(text + "\n", tuple(map(Signature.parse, lines[:-1].split("\n"))))

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


def is_signed(public_key: bytes, signature: bytes, text: str) -> bool:
    """Whether the Ed25519 key signed the text."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, text.encode())
    except InvalidSignature:
        return False
    return True


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteMalformed("not base64") from None


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(sign.isspace() for sign in name)
