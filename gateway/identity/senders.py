"""Identifies the senders of messages, and says what is wrong with a signature."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from cases.inbound.senders import Senders, Signature
from cases.inbound.webhooks import Fault, SignatureRefused
from cases.inbound.wire import PartnerName
from domain.kernel.proof import Proof
from gateway.http.problems import Problem, ProblemCode

_CODES: Final[Mapping[Fault, ProblemCode]] = {
    "missing": "signature-missing",
    "malformed": "signature-malformed",
    "stale": "signature-stale",
    "wrong": "signature-wrong",
}


def identify(
    senders: Senders, partner: PartnerName, message_id: str, signed: Signature, body: bytes, server_now: datetime
) -> Proof:
    """Who sent this. `server_now` is the machine's time.

    Raises:
        Problem: `signature-missing`, `signature-malformed`, `signature-stale` or `signature-wrong`.
    """
    try:
        return senders.prove(partner, message_id, signed, body, server_now)
    except SignatureRefused as refused:
        raise Problem(_CODES[refused.fault]) from None
