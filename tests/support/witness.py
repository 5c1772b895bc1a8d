"""A witness, written from the text of c2sp.org/tlog-cosignature and from nothing of ours but the notes it is shown."""

import base64
import hashlib
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIGNED_AT: Final = datetime(2022, 11, 1, 12, 0, 5, tzinfo=UTC)
NAME: Final = "witness.example.org/office"


class WitnessOffice:
    """An office of another branch."""

    def __init__(self, seed: int = 1, name: str = NAME) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self._public = self._private.public_key().public_bytes_raw()
        self._name = name
        self._id = hashlib.sha256(name.encode() + b"\n\x04" + self._public).digest()[:4]

    @property
    def key(self) -> str:
        """Its verifier key string."""
        return f"{self._name}+{self._id.hex()}+{base64.b64encode(bytes([4]) + self._public).decode()}"

    def line(self, note: str, at: datetime = SIGNED_AT) -> str:
        """Its line under the checkpoint of this note."""
        text, seconds = note.rpartition("\n\n")[0] + "\n", int(at.timestamp())
        signed = self._private.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
        content = self._id + seconds.to_bytes(8, "big") + signed
        return f"\N{EM DASH} {self._name} {base64.b64encode(content).decode()}\n"
