"""How Passage and a partner know each other in calls: Standard Webhooks signatures in both directions.

Passage signs each request, and the partner signs what it answers when it is asked what became of one. The signed id is
the request's. TLS proves only the address: a wrong entry in a settings file or a name server must not decide a case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cases.inbound.webhooks import Fault, SignatureRefused, Signer, Verifier, sign, verify


@dataclass(frozen=True, slots=True)
class CallKeys:
    """The keys of one partner's calls."""

    passage: tuple[Signer, ...] = ()
    """What Passage signs requests with; nothing is signed without one."""
    partner: tuple[Verifier, ...] = ()
    """By which the partner's answers are verified."""
    required: bool = True
    """Whether an answer without a signature is refused. A signature that is present must always verify."""

    def signed(self, request_id: str, body: bytes) -> dict[str, str]:
        """The headers that prove that Passage sends this."""
        return sign(self.passage, request_id, datetime.now(UTC), body) if self.passage else {}

    def prove(self, request_id: str, headers: Mapping[str, str], body: bytes) -> "str | Unproven | None":
        """The fingerprint of the partner's key that signed this answer; None if it needs no signature and has none."""
        timestamp, signature = headers.get("webhook-timestamp"), headers.get("webhook-signature")
        if not self.required and timestamp is None and signature is None:
            return None
        try:
            key = verify(self.partner, request_id, timestamp, signature, body, datetime.now(UTC))
        except SignatureRefused as refused:
            return Unproven(refused.fault)
        return key.fingerprint


@dataclass(frozen=True, slots=True)
class Unproven:
    """An answer that is not proven to be the partner's; the value of a check that must not raise."""

    fault: Fault


UNSIGNED: Final = CallKeys(required=False)
"""For simulations and tests: nothing is signed, and everybody is believed."""
