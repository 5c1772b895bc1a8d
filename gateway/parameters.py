"""Parameters that several routes share.

What makes them is `async`, though nothing waits: FastAPI would hand a plain function to a thread. And the route that
takes messages names headers alone, since each dependency costs it as much as reading three of them.
"""

from typing import Annotated

from fastapi import Depends, Header, Path, Request

from activities.contracts import ProgrammeId
from domain.ids import CaseId, MessageId
from gateway.metrics import GatewayMetrics
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


WebhookTimestamp = Annotated[
    str | None,
    Header(
        alias="webhook-timestamp",
        description="When this attempt was signed, in seconds since 1970; within five minutes of now.",
        examples=["1666267200"],
    ),
]
WebhookSignature = Annotated[
    str | None,
    Header(
        alias="webhook-signature",
        description="Standard Webhooks: `v1,<base64>` (HMAC-SHA256) or `v1a,<base64>` (Ed25519) over "
        "`<webhook-id>.<webhook-timestamp>.<body>`; several with a space between them while a key is changed.",
        examples=["v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="],
    ),
]
Prefer = Annotated[
    str | None,
    Header(
        description="`wait` or `wait=<seconds>` (RFC 7240): hold the answer until the case has taken the message, "
        "for ten seconds at most.",
        examples=["wait=5"],
    ),
]

IdempotencyKey = Annotated[
    MessageId,
    Header(
        alias="Idempotency-Key",
        description="The sender's own id of the filing. The same key with the same body gives the same case.",
        examples=["intake-2022-000417"],
    ),
]


async def metrics_of(request: Request) -> GatewayMetrics:
    """What this app counts in."""
    metrics: GatewayMetrics = request.app.state.metrics
    return metrics


Metrics = Annotated[GatewayMetrics, Depends(metrics_of)]
