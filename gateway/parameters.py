"""Parameters that several routes share.

What makes them is `async`, though nothing waits: FastAPI would hand a plain function to a thread, five a message.
"""

from typing import Annotated, NamedTuple

from fastapi import Depends, Header, Path, Request

from activities.contracts import ProgrammeId
from domain.ids import CaseId, MessageId
from gateway.callers import Presented
from gateway.intake import Patience, wished_wait_s
from gateway.metrics import GatewayMetrics
from gateway.senders import Signature
from gateway.tokens import Caller
from gateway.wire import PartnerName

CasePath = Annotated[CaseId, Path(description="With its check character.", examples=["VEN-7Q4K-M2XS"])]
ProgrammePath = Annotated[ProgrammeId, Path(examples=["venezuela-air"])]
PartnerPath = Annotated[PartnerName, Path(description="Who sends the message.")]
MessagePath = Annotated[MessageId, Path(description="The `webhook-id` it was sent with.")]

WebhookId = Annotated[
    MessageId,
    Header(
        alias="webhook-id",
        description="The sender's own id of the message (Standard Webhooks). The same id is the same message.",
        examples=["msg_2f6c1e"],
    ),
]


async def _signature(
    timestamp: Annotated[
        str | None,
        Header(
            alias="webhook-timestamp",
            description="When this attempt was signed, in seconds since 1970; within five minutes of now.",
            examples=["1666267200"],
        ),
    ] = None,
    signature: Annotated[
        str | None,
        Header(
            alias="webhook-signature",
            description="Standard Webhooks: `v1,<base64>` (HMAC-SHA256) or `v1a,<base64>` (Ed25519) over "
            "`<webhook-id>.<webhook-timestamp>.<body>`; several with a space between them while a key is changed.",
            examples=["v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="],
        ),
    ] = None,
) -> Signature:
    return Signature(timestamp, signature)


Signed = Annotated[Signature, Depends(_signature)]
"""What a request says to prove who sends it."""


class Envelope(NamedTuple):
    """Everything about a message but the message."""

    message_id: str
    signed: Signature
    caller: Caller | None


async def _envelope(webhook_id: WebhookId, signed: Signed, caller: Presented) -> Envelope:
    return Envelope(webhook_id, signed, caller)


Enveloped = Annotated[Envelope, Depends(_envelope)]
"""The Standard Webhooks headers of a message, and whose token came with it."""

IdempotencyKey = Annotated[
    MessageId,
    Header(
        alias="Idempotency-Key",
        description="The sender's own id of the filing. The same key with the same body gives the same case.",
        examples=["intake-2022-000417"],
    ),
]


async def _patience(
    request: Request,
    prefer: Annotated[
        str | None,
        Header(
            description="`wait` or `wait=<seconds>` (RFC 7240): hold the answer until the case has taken the message, "
            "for ten seconds at most.",
            examples=["wait=5"],
        ),
    ] = None,
) -> Patience:
    return Patience(request.app.state.waiting, wished_wait_s(prefer))


Waits = Annotated[Patience, Depends(_patience)]
"""How long this request is willing to wait for an answer."""


async def _metrics(request: Request) -> GatewayMetrics:
    metrics: GatewayMetrics = request.app.state.metrics
    return metrics


Metrics = Annotated[GatewayMetrics, Depends(_metrics)]
