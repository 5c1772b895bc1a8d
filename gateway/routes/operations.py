"""For those who run the gateway: `/healthz`, `/readyz`, `/metrics`."""

import asyncio
from typing import Final, Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from gateway.deps import Deps
from gateway.http.parameters import Metrics
from gateway.http.problems import Problem, documented

router = APIRouter(tags=["operations"])

READY_TIMEOUT_S: Final = 2.0
"""The usual timeout of load balancers; with a slower database no request could be served."""


class Health(BaseModel):
    """The process works."""

    status: Literal["ok"] = "ok"


@router.get("/healthz", summary="Whether the process is alive")
async def healthz() -> Health:
    """Answers while the process is alive; restart it if this does not answer."""
    return Health()


@router.get("/readyz", summary="Whether it can serve", responses=documented())
async def readyz(deps: Deps) -> Health:
    """Answers while the database does; send no requests while this fails."""
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            await deps.store.programme("readyz")  # any read proves the connection, the role and the schema
    except TimeoutError:
        raise Problem("unavailable") from None
    return Health()


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
async def metrics_text(metrics: Metrics) -> Response:
    """Counters in Prometheus's text format."""
    return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)
