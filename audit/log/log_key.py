"""The key that signs the log's checkpoints, behind a port: a file, or a key management service."""

import base64
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.log.checkpoints import Checkpoint
from audit.log.notes import ED25519, Note, NoteForged, NoteMalformed, Signature, Verifier

FOLDER: Final = "log"
"""In the keys directory; apart from the database, so that who has the one cannot sign with the other."""
_SIGNER, _VERIFIER, _LAST = "signer", "verifier", "last-checkpoint"
_NEXT, _FORMER = "next-signer", "former-verifiers"


class LogKeyMissing(Exception):
    """There is no key of the log in the keys directory, and one is made for an empty log only."""

    code = "log-key-missing"


@dataclass(frozen=True, slots=True)
class FormerVerifier:
    """A key that the log had before: what it signs counts up to a size, the log's when the key was put away."""

    verifier: Verifier
    signs_up_to: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """From a verifier key, a space, and the size. Raises NoteMalformed."""
        key, _, size = text.strip().partition(" ")
        if not size.isascii() or not size.isdigit():
            raise NoteMalformed("a former key needs the size of the log up to which it signed: `KEY SIZE`")
        return cls(Verifier.parse(key), int(size))


@dataclass(frozen=True, slots=True)
class LogKeys:
    """The keys by which a log is known: the one it has, and those that it had. All have its name."""

    verifier: Verifier
    former: tuple[FormerVerifier, ...] = ()

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Self:
        """From verifier keys, each former one with its size. Raises NoteMalformed unless exactly one is without."""
        given = [line.strip() for line in lines]
        current = [Verifier.parse(line) for line in given if " " not in line]
        former = tuple(FormerVerifier.parse(line) for line in given if " " in line)
        if len(set(current)) != 1:
            raise NoteMalformed("give the log's one key, and each that it had before as `KEY SIZE`")
        if any(each.verifier.name != current[0].name for each in former):
            raise NoteMalformed("the keys are of different logs")
        return cls(current[0], former)

    def opened(self, note: Note) -> Checkpoint:
        """The checkpoint of a note that one of them signed, and might sign.

        Raises:
            NoteMalformed, NoteForged: it is none, or not this log's.
        """
        checkpoint = Checkpoint.parse(note.text)
        if checkpoint.origin != self.verifier.name:
            raise NoteForged(f"it is of the log {checkpoint.origin}")
        note.verified_by([self.verifier, *(f.verifier for f in self.former if checkpoint.size <= f.signs_up_to)])
        return checkpoint


class LogKey(Protocol):
    """Signs, and remembers what it signed last: a log that went back in time must not get a second history signed."""

    @property
    def verifier(self) -> Verifier:
        """What everybody may know."""
        ...

    async def sign(self, text: str) -> Note:
        """The text, signed: by `verifier` first, while keys change by the next one too."""
        ...

    async def last_signed(self) -> Note | None:
        """The last checkpoint signed for publication."""
        ...

    async def remember(self, note: Note) -> None:
        """Make the checkpoint durable as the last one, before anybody sees it."""
        ...


class FileLogKey:
    """A folder (0700): `signer` (0600), `verifier`, and `last-checkpoint`; `next-signer` while keys change.

    A signer is one line in the form that Go's `note` package and its tools read: `PRIVATE+KEY+<name>+<id>+<base64>`.
    """

    def __init__(self, keys_directory: Path) -> None:
        """Reads the keys.

        Raises:
            LogKeyMissing: there is none.
            NoteMalformed: a file holds something else.
        """
        self._folder = keys_directory / FOLDER
        try:
            line = (self._folder / _SIGNER).read_text("utf-8")
        except FileNotFoundError:
            raise LogKeyMissing("log-key-missing: the keys directory has no key of this log") from None
        self.verifier, private = _parse_signer(line)
        self._signers = ((self.verifier, private), *_next_signer(self._folder, self.verifier.name))
        if _lines_of(self._folder / _VERIFIER) != (str(self.verifier),):
            _replace(self._folder / _VERIFIER, f"{self.verifier}\n")

    async def sign(self, text: str) -> Note:  # noqa: D102  # the port says it
        lines = (Signature(each.name, each.key_id, private.sign(text.encode())) for each, private in self._signers)
        return Note(text, tuple(lines))

    async def last_signed(self) -> Note | None:  # noqa: D102  # the port says it
        try:
            return Note.parse((self._folder / _LAST).read_text("utf-8"))
        except FileNotFoundError:
            return None

    async def remember(self, note: Note) -> None:  # noqa: D102  # the port says it
        _replace(self._folder / _LAST, str(note))


def make_log_key(keys_directory: Path, origin: str) -> FileLogKey:
    """The key that lies there, or a new one named after the log's origin. Raises NoteMalformed."""
    folder = keys_directory / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_new(folder / _SIGNER, _signer_line(origin, os.urandom(32)))
    return FileLogKey(keys_directory)


def read_verifiers(keys_directory: Path) -> tuple[str, ...]:
    """The verifier key of the log whose key lies there, if one does, and those that it had, each with its size."""
    folder = keys_directory / FOLDER
    return (*_lines_of(folder / _VERIFIER), *_lines_of(folder / _FORMER))


def _lines_of(file: Path) -> tuple[str, ...]:
    try:
        return tuple(file.read_text("utf-8").splitlines())
    except FileNotFoundError:
        return ()


def _next_signer(folder: Path, name: str) -> tuple[tuple[Verifier, Ed25519PrivateKey], ...]:
    """The key that comes next, where one is put beside the first. Raises NoteMalformed for another log's."""
    try:
        following = _parse_signer((folder / _NEXT).read_text("utf-8"))
    except FileNotFoundError:
        return ()
    if following[0].name != name:
        raise NoteMalformed("the next signer key is of another name than the log")
    return (following,)


def _signer_line(name: str, seed: bytes) -> str:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_id = Verifier(name, public).key_id.hex()
    return f"PRIVATE+KEY+{name}+{key_id}+{base64.b64encode(bytes([ED25519]) + seed).decode()}\n"


def _parse_signer(line: str) -> tuple[Verifier, Ed25519PrivateKey]:
    parts = line.strip().split("+", 4)
    if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:
        raise NoteMalformed("the log's signer file holds no signer key")
    material = base64.b64decode(parts[4])
    if len(material) != 33 or material[0] != ED25519:
        raise NoteMalformed("the log's signer key is not of type Ed25519")
    private = Ed25519PrivateKey.from_private_bytes(material[1:])
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    verifier = Verifier(parts[2], public)
    if verifier.key_id.hex() != parts[3]:
        raise NoteMalformed("the log's signer key has another id than its own")
    return verifier, private


def _write_new(file: Path, text: str) -> None:
    """Write the file complete, unless another process was first: then its content stands."""
    if file.exists():
        return
    begun = _begun(file, text)
    try:
        os.link(begun, file)
    except FileExistsError:
        pass
    finally:
        begun.unlink()
    _make_durable(file.parent)


def _replace(file: Path, text: str) -> None:
    _begun(file, text).replace(file)
    _make_durable(file.parent)


def _begun(file: Path, text: str) -> Path:
    begun = file.with_name(f".{file.name}.{os.urandom(8).hex()}")
    with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as new:
        new.write(text)
        new.flush()
        os.fsync(new.fileno())
    return begun


def _make_durable(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
