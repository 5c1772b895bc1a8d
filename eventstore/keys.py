"""Keys of personal data: one a case, and the pepper of lookups, kept outside the event cluster (decision 9)."""

import asyncio
import hashlib
import hmac
import os
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from eventstore.conflicts import StoreUnavailable

_NONCE_BYTES = 12
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_TOMBSTONE = b"destroyed\n"


class KeyDestroyed(Exception):
    """The key was destroyed by an erasure; what it encrypted is gone for good. Never retried."""

    code = "key-destroyed"


class KeyUnknown(Exception):
    """The key store has no such key: a case that was never filed, another key store, or keys lost in a restore."""

    code = "key-unknown"


class CaseKey:
    """A case's key in memory, ready to use: two keys derived from its one stored secret of 32 bytes."""

    __slots__ = ("_aead", "_mac", "key_id")

    def __init__(self, key_id: str, secret: bytes) -> None:
        derived = hmac.digest(secret, b"passage case key 1", hashlib.sha512)
        self.key_id = key_id
        self._aead = AESGCM(derived[:32])
        self._mac = derived[32:]

    def encrypt(self, plain: bytes, bound_to: bytes) -> bytes:
        """AES-256-GCM: a random nonce of 12 bytes, the ciphertext, the tag. `bound_to` is authenticated with it."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plain, bound_to)

    def decrypt(self, sealed: bytes, bound_to: bytes) -> bytes:
        """Raises `cryptography.exceptions.InvalidTag` where bytes, key or `bound_to` are not the written ones."""
        return self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)

    def digest(self, content: bytes) -> bytes:
        """HMAC-SHA256: recognises the same content, and tells nothing once the key is destroyed."""
        return hmac.digest(self._mac, content, hashlib.sha256)


class KeyStore(Protocol):
    """Where keys live: a directory by default, a key management service in production."""

    async def create(self, case_id: str) -> CaseKey:
        """The case's key, made durable before this returns; the same key when called again.

        Raises:
            KeyDestroyed: the case was erased; it gets no second key.
        """
        ...

    async def get(self, key_id: str) -> CaseKey:
        """Raises `KeyDestroyed` or `KeyUnknown`."""
        ...

    async def destroy(self, key_id: str) -> None:
        """Destroy the key durably; harmless when repeated. Other processes forget it within the cache's age."""
        ...

    async def pepper(self) -> bytes:
        """32 bytes that key the lookup hashes; the same for ever."""
        ...


async def keys_of(keys: KeyStore, key_ids: Iterable[str | None]) -> dict[str, CaseKey | None]:
    """Each key that is named, None where it is destroyed. Raises `KeyUnknown`."""
    found: dict[str, CaseKey | None] = {}
    for key_id in {key_id for key_id in key_ids if key_id is not None}:
        try:
            found[key_id] = await keys.get(key_id)
        except KeyDestroyed:
            found[key_id] = None
    return found


class KeyCache:
    """Keys in memory, bounded in number and in age, so that an erasure reaches every process in time."""

    def __init__(self, size: int = 10_000, age_s: float = 60.0) -> None:
        self._size = size
        self._age_s = age_s
        self._keys: OrderedDict[str, tuple[CaseKey, float]] = OrderedDict()

    def get(self, key_id: str) -> CaseKey | None:
        """The key, if it was put less than the age ago."""
        found = self._keys.get(key_id)
        if found is None:
            return None
        key, until = found
        if time.monotonic() >= until:
            del self._keys[key_id]
            return None
        self._keys.move_to_end(key_id)
        return key

    def put(self, key: CaseKey) -> CaseKey:
        """Keep the key for the age; the least recently used makes room."""
        self._keys[key.key_id] = (key, time.monotonic() + self._age_s)
        while len(self._keys) > self._size:
            self._keys.popitem(last=False)
        return key

    def forget(self, key_id: str) -> None:
        """Drop the key now."""
        self._keys.pop(key_id, None)


class MasterKey(Protocol):
    """What wraps the keys of cases. It is kept apart from them: who has both reads everything."""

    async def wrap(self, key_id: str, secret: bytes) -> bytes:
        """The secret, encrypted and bound to `key_id`. Raises `KeysUnavailable`."""
        ...

    async def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        """The secret again. Raises `KeysUnavailable`."""
        ...


class KeysUnavailable(StoreUnavailable):
    """Whoever holds the master key does not answer, or refuses; to be retried."""


class FileMasterKey:
    """32 bytes in a file (0600): AES-256-GCM."""

    def __init__(self, file: Path) -> None:
        self._aead = AESGCM(file.read_bytes())

    @classmethod
    def made_if_missing(cls, file: Path) -> "FileMasterKey":
        """The key in the file, which is made where there is none."""
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(file, os.urandom(32))
        return cls(file)

    async def wrap(self, key_id: str, secret: bytes) -> bytes:  # noqa: D102  # the port says it
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, secret, key_id.encode())

    async def unwrap(self, key_id: str, wrapped: bytes) -> bytes:  # noqa: D102  # the port says it
        return self._aead.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], key_id.encode())


def master_file(keys_directory: Path) -> Path:
    """Where the master key is unless a setting says otherwise: beside the folder, so that no copy of it has both."""
    return keys_directory.with_name(f"{keys_directory.name}-master")


class DirectoryKeyStore:
    """Keys in a directory of their own (0700), each wrapped under the master key and bound to its id.

    Keep it, and its short-lived backups, apart from the database's and from the master key: who has all three has
    everything, and a key restored from an old backup would undo an erasure.
    """

    def __init__(self, path: Path, cache: KeyCache | None = None, master: MasterKey | None = None) -> None:
        self._cases = path / "cases"
        self._pepper_file = path / "pepper"
        self._cache = cache or KeyCache()
        self._cases.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
        self._master = master or FileMasterKey.made_if_missing(master_file(path))

    async def create(self, case_id: str) -> CaseKey:  # noqa: D102  # the port says it
        cached = self._cache.get(case_id)
        if cached is not None:
            return cached
        file = self._file(case_id)
        if not file.exists():
            wrapped = await self._master.wrap(case_id, os.urandom(32))
            # Writing durably takes milliseconds, which the event loop has better uses for.
            await asyncio.to_thread(_create, file, wrapped)
        return await self.get(case_id)

    async def get(self, key_id: str) -> CaseKey:  # noqa: D102  # the port says it
        cached = self._cache.get(key_id)
        if cached is not None:
            return cached
        try:
            wrapped = self._file(key_id).read_bytes()
        except FileNotFoundError:
            raise KeyUnknown(key_id) from None
        if wrapped == _TOMBSTONE:
            raise KeyDestroyed(key_id)
        return self._cache.put(CaseKey(key_id, await self._master.unwrap(key_id, wrapped)))

    async def destroy(self, key_id: str) -> None:  # noqa: D102  # the port says it
        self._cache.forget(key_id)
        await asyncio.to_thread(_destroy, self._file(key_id))

    async def pepper(self) -> bytes:  # noqa: D102  # the port says it
        if not self._pepper_file.exists():
            wrapped = await self._master.wrap("pepper", os.urandom(32))
            await asyncio.to_thread(_create, self._pepper_file, wrapped)
        return await self._master.unwrap("pepper", self._pepper_file.read_bytes())

    def _file(self, key_id: str) -> Path:
        if not _KEY_ID.fullmatch(key_id):
            raise KeyUnknown("not a key id")
        return self._cases / key_id


def _create(file: Path, content: bytes) -> None:
    """Write the file complete and durable, unless another process was first: then its content stands."""
    if file.exists():
        return
    try:
        _write(file, content, os.link)
    except FileExistsError:
        return


def _destroy(file: Path) -> None:
    if file.exists():
        with file.open("r+b") as old:  # the name moves on to the tombstone; the old bytes must not stay on disk
            old.write(bytes(file.stat().st_size))
            os.fsync(old.fileno())
    _write(file, _TOMBSTONE, os.replace)


def _write(file: Path, content: bytes, place: Callable[[Path, Path], None]) -> None:
    begun = file.with_name(f".{file.name}.{os.urandom(8).hex()}")
    try:
        with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        place(begun, file)
    finally:
        begun.unlink(missing_ok=True)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
