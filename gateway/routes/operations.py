"""For those who run the gateway: `/healthz`, `/readyz`, `/metrics`."""

import asyncio
import time
from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from eventstore.conflicts import StoreUnavailable
from gateway.deps import Deps, GatewayDeps
from gateway.http.parameters import Metrics
from gateway.http.problems import Problem, documented

router = APIRouter(tags=["operations"])

READY_TIMEOUT_S: Final = 2.0
"""The usual timeout of load balancers; with a slower database no request could be served."""

FRESH_S: Final = 1.0
"""Load balancers ask every few seconds; anybody may ask, and costs no more than they do."""


class Readiness:
    """Whether the database answers, asked once in `FRESH_S` however often somebody wants to know."""

    def __init__(self) -> None:
        self._asking = asyncio.Lock()
        self._until_s = 0.0
        self._ready = False

    async def look(self, deps: GatewayDeps) -> bool:
        """Whether it answered in time, at most `FRESH_S` ago."""
        async with self._asking:
            if time.monotonic() >= self._until_s:
                self._ready = await self._ask(deps)
                self._until_s = time.monotonic() + FRESH_S
            return self._ready

    async def _ask(self, deps: GatewayDeps) -> bool:
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                await deps.store.programme("readyz")  # any read proves the connection, the role and the schema
        except (StoreUnavailable, TimeoutError):
            return False
        return True


class Health(BaseModel):
    """The process works."""

    status: Literal["ok"] = "ok"


@router.get("/healthz", summary="Whether the process is alive")
async def healthz() -> Health:
    """Answers while the process is alive; restart it if this does not answer."""
    return Health()


@router.get("/readyz", summary="Whether it can serve", responses=documented())
async def readyz(request: Request, deps: Deps) -> Health:
    """Answers while the database does; send no requests while this fails."""
    readiness: Readiness = request.app.state.readiness
    if not await readiness.look(deps):
        raise Problem("unavailable")
    return Health()


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
async def metrics_text(metrics: Metrics) -> Response:
    """Counters in Prometheus's text format."""
    return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)
