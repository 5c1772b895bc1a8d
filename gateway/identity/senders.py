"""Who speaks: a message is its partner's if the partner's key signed it (`cases/inbound/webhooks.py`)."""

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
    """The headers of a request beside its id; None where one is not there."""

    timestamp: str | None
    signature: str | None

    @property
    def given(self) -> bool:
        """Whether there is anything to be held to."""
        return self.timestamp is not None or self.signature is not None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who delivered a message, as far as it is known."""

    sender: str
    """For the record: `signed:<partner>:<the key's fingerprint>`, `token:<its sub>`, or `unsigned:<partner>`."""
    proven: bool


@dataclass(frozen=True, slots=True)
class Senders:
    """The keys of those who may speak."""

    keys: Mapping[str, tuple[Verifier, ...]]
    unsigned: bool
    """Whether a message without any signature is taken at its word. One that carries a signature is held to it."""

    @classmethod
    def of(cls, settings: Settings) -> "Senders":
        """The senders that the settings name. Raises `ConfigurationError`."""
        file = settings.partner_keys
        keys = {} if file is None else read_keys(file, Verifier.parse)
        return cls(keys, unsigned=bool(settings.unsigned_messages))

    def identify(
        self, partner: PartnerName, message_id: str, signed: Signature, body: bytes, server_now: datetime
    ) -> Identity:
        """Who sent this. `server_now` is the machine's moment: a signature's age has nothing to do with domain time.

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
"""Nobody is known and nothing is taken: what holds until somebody says otherwise."""
ANYBODY: Final = Senders({}, unsigned=True)
"""For simulations and tests, where everybody is who they say they are."""
