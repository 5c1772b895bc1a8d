"""Witnesses' cosignatures of checkpoints (c2sp.org/tlog-cosignature, version 1, Ed25519). Pure.

A cosignature says: as of this moment, this is the largest tree of that log that I have seen, and it only ever grew. An
auditor who trusts a witness need not have kept a checkpoint, and cannot be shown another log than the witness was.
"""

from datetime import UTC, datetime
from typing import ClassVar, Final

from audit.log.notes import NoteMalformed, Verifier, is_signed

COSIGNATURE_V1: Final = 4
"""The signature type byte."""
_MOMENT_BYTES: Final = 8


class Witness(Verifier):
    """A witness's key. Its verifier key string is of another type than a log's: neither passes for the other."""

    __slots__ = ()

    SIGNATURE_TYPE: ClassVar[int] = COSIGNATURE_V1

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether the timestamped signature is this witness's over a checkpoint with this text."""
        seconds = int.from_bytes(signature[:_MOMENT_BYTES])
        return is_signed(self.public_key, signature[_MOMENT_BYTES:], f"cosignature/v1\ntime {seconds}\n{text}")


def cosigned_at(signature: bytes) -> datetime:
    """When the witness says that it signed. Raises NoteMalformed for no moment of a calendar."""
    try:
        return datetime.fromtimestamp(int.from_bytes(signature[:_MOMENT_BYTES]), UTC)
    except (OverflowError, ValueError, OSError):
        raise NoteMalformed("a cosignature of no moment") from None
