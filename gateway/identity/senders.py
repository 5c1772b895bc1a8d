"""Identifies senders: a message is from a partner if the partner's key signed it (`cases/inbound/webhooks.py`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cases.inbound.webhooks import Fault, SignatureRefused, Verifier, verify
from cases.inbound.wire import PartnerName
from gateway.http.problems import Problem, ProblemCode
from process.config import Settings
from process.key_files import read_keys

_CODES: Final[Mapping[Fault, ProblemCode]] = {
    "missing": "signature-missing",
    "malformed": "signature-malformed",
    "stale": "signature-stale",
    "wrong": "signature-wrong",
}


@dataclass(frozen=True, slots=True)
class Signature:
    """The signature headers of a request; None for a missing one."""

    timestamp: str | None
    signature: str | None

    @property
    def given(self) -> bool:
        """Whether the request has any part of a signature."""
        return self.timestamp is not None or self.signature is not None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sent a message, as far as it is known."""

    sender: str
    """For the record: `signed:<partner>:<the key's fingerprint>`, `token:<its sub>`, or `unsigned:<partner>`."""
    proven: bool


@dataclass(frozen=True, slots=True)
class Senders:
    """The keys of all senders."""

    keys: Mapping[str, tuple[Verifier, ...]]
    unsigned: bool
    """Whether a message without a signature is accepted. A signature that is present must always verify."""

    @classmethod
    def of(cls, settings: Settings) -> "Senders":
        """The senders that the settings name. Raises `ConfigurationError`."""
        file = settings.partner_keys
        keys = {} if file is None else read_keys(file, Verifier.parse)
        return cls(keys, unsigned=bool(settings.unsigned_messages))

    def identify(
        self, partner: PartnerName, message_id: str, signed: Signature, body: bytes, server_now: datetime
    ) -> Identity:
        """Who sent this. `server_now` is the machine's time: a signature's age is independent of domain time.

        Raises:
            Problem: `signature-missing`, `signature-malformed`, `signature-stale` or `signature-wrong`.
        """
        if self.unsigned and not signed.given:
            return Identity(f"unsigned:{partner}", proven=False)
        keys = self.keys.get(partner, ())
        try:
            key = verify(keys, message_id, signed.timestamp, signed.signature, body, server_now)
        except SignatureRefused as refused:
            raise Problem(_CODES[refused.fault]) from None
        return Identity(f"signed:{partner}:{key.fingerprint}", proven=True)


NOBODY: Final = Senders({}, unsigned=False)
"""No sender is known and nothing is accepted: the default."""
ANYBODY: Final = Senders({}, unsigned=True)
"""For simulations and tests: every sender is believed."""
