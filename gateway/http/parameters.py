"""Parameters that several routes share; the headers of messages are in `headers.py`.

Dependencies are `async` although they await nothing: FastAPI runs plain functions in a thread.
"""

from typing import Annotated

from fastapi import Depends, Header, Path, Request

from cases.inbound.wire import PartnerName
from domain.kernel.ids import CaseId, GivenId, ProgrammeId
from gateway.http.metrics import GatewayMetrics

CasePath = Annotated[CaseId, Path(description="With its check character.", examples=["VEN-7Q4K-M2XS"])]
ProgrammePath = Annotated[ProgrammeId, Path(examples=["venezuela-air"])]
PartnerPath = Annotated[PartnerName, Path(description="Who sends the message.")]
MessagePath = Annotated[GivenId, Path(description="The `webhook-id` it was sent with.")]

IdempotencyKey = Annotated[
    GivenId,
    Header(
        alias="Idempotency-Key",
        description="The sender's own id of the filing. The same key with the same body gives the same case.",
        examples=["intake-2022-000417"],
    ),
]


async def _metrics(request: Request) -> GatewayMetrics:
    metrics: GatewayMetrics = request.app.state.metrics
    return metrics


Metrics = Annotated[GatewayMetrics, Depends(_metrics)]
