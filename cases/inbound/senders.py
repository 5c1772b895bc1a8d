"""By which proof a sender is known: a message is from a partner if the partner's key signed it (`webhooks.py`).

The same at every entrance: HTTP, a signal to Temporal, a partner's answer that was asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cases.inbound.webhooks import Verifier, verify
from domain.kernel.proof import Proof, claimed


@dataclass(frozen=True, slots=True)
class Signature:
    """The signature headers of a message; None for a missing one."""

    timestamp: str | None
    signature: str | None

    @property
    def given(self) -> bool:
        """Whether there is any part of a signature."""
        return self.timestamp is not None or self.signature is not None


@dataclass(frozen=True, slots=True)
class Senders:
    """The keys of all senders."""

    keys: Mapping[str, tuple[Verifier, ...]]
    unsigned: bool
    """Whether a message without a signature is accepted. A signature that is present must always verify."""

    def prove(self, sender: str, message_id: str, signed: Signature, body: bytes, server_now: datetime) -> Proof:
        """By what this sender is known. `server_now` is the machine's time: a signature's age has no domain time.

        Raises:
            SignatureRefused: it is not signed by this sender, and unsigned messages are not accepted.
        """
        if self.unsigned and not signed.given:
            return claimed(sender)
        keys = self.keys.get(sender, ())
        key = verify(keys, message_id, signed.timestamp, signed.signature, body, server_now)
        return Proof("key", sender, key.fingerprint)


NOBODY: Final = Senders({}, unsigned=False)
"""No sender is known and nothing is accepted: the default."""
ANYBODY: Final = Senders({}, unsigned=True)
"""For simulations and tests: every sender is believed."""
