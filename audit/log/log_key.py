"""The key that signs the log's checkpoints, behind a port: a file, or a key management service."""

import base64
import os
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.log.notes import ED25519, Note, NoteMalformed, Signature, Verifier

FOLDER: Final = "log"
"""In the keys directory; apart from the database, so that who has the one cannot sign with the other."""
_SIGNER, _VERIFIER, _LAST = "signer", "verifier", "last-checkpoint"
_NEXT, _FORMER = "next-signer", "former-verifiers"


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

    def __init__(self, keys_directory: Path, origin: str) -> None:
        """Reads the keys, or makes one at the first start. Raises NoteMalformed where a file holds something else."""
        self._folder = keys_directory / FOLDER
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        signer = self._folder / _SIGNER
        if not signer.exists():
            _write_new(signer, _signer_line(origin, os.urandom(32)))
        self.verifier, private = _parse_signer(signer.read_text("utf-8"))
        self._signers = ((self.verifier, private), *_next_signer(self._folder, self.verifier.name))
        if _verifiers_in(self._folder / _VERIFIER) != (self.verifier,):
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


def read_verifiers(keys_directory: Path) -> tuple[Verifier, ...]:
    """The verifier key of the log whose key lies there, if one does, and those that it had (`former-verifiers`)."""
    folder = keys_directory / FOLDER
    return (*_verifiers_in(folder / _VERIFIER), *_verifiers_in(folder / _FORMER))


def _verifiers_in(file: Path) -> tuple[Verifier, ...]:
    """One a line; nothing where there is no such file."""
    try:
        return tuple(map(Verifier.parse, file.read_text("utf-8").splitlines()))
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
