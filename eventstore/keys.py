"""Keys of personal data: one a case, and the pepper of lookups, kept outside the event cluster (decision 9)."""

from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class KeyDestroyed(Exception):
    """The key was destroyed by an erasure; what it encrypted is gone for good. Never retried."""

    code = "key-destroyed"


class KeyUnknown(Exception):
    """The key store has no such key: another key store, or a restore that lost keys. An alarm."""

    code = "key-unknown"


class CaseKey:
    """A case's key in memory: an AEAD for bodies and a MAC for digests, from one stored secret."""

    __slots__ = ("aead", "key_id", "mac_key")

    key_id: str
    aead: AESGCM
    mac_key: bytes


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
