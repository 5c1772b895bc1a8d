"""The gateway's app: the only door for applications, partners' messages, boarding checks and status."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from eventstore.keys import KeyDestroyed
from gateway import applications, boarding, cases, faults, messages, operations, programmes
from gateway.deps import GatewayDeps
from gateway.edge import Edge
from gateway.intake import WAITING_MAX
from gateway.metrics import GatewayMetrics
from gateway.openapi import document
from gateway.problems import Code, Problem

_ROUTERS: Final = (
    applications.router,
    messages.router,
    boarding.router,
    cases.router,
    programmes.router,
    operations.router,
)
_OF_STATUS: Final[Mapping[int, Code]] = {404: "not-found", 405: "method-not-allowed"}


def create_app(deps: GatewayDeps) -> FastAPI:
    """The app over these parts. It holds no state of its own but counters, and opens and closes nothing."""
    app = FastAPI(title="Passage", version="1", redoc_url=None)
    app.state.deps = deps
    app.state.metrics = metrics = GatewayMetrics()
    app.state.waiting = asyncio.Semaphore(WAITING_MAX)
    for router in _ROUTERS:
        app.include_router(router)
    for kind in (Problem, RequestValidationError, HTTPException, KeyDestroyed):
        app.add_exception_handler(kind, _refuse)
    app.add_middleware(Edge, metrics=metrics)
    app.openapi = _documented(app)  # type: ignore[method-assign]  # FastAPI's own way to extend the document
    return app


def _documented(app: FastAPI) -> Callable[[], dict[str, Any]]:
    return lambda: document(app)


async def _refuse(request: Request, error: Exception) -> Response:
    """Answer with a problem; nothing of the error's own text is passed on, for it may repeat what was sent."""
    problem = _problem_of(error)
    metrics: GatewayMetrics = request.app.state.metrics
    metrics.refused.labels(problem.code).inc()
    headers = error.headers if isinstance(error, HTTPException) else None
    return problem.response(headers)


def _problem_of(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return Problem("malformed", faults=faults.of_parameters(error.errors()))
        case HTTPException():
            return Problem(_OF_STATUS.get(error.status_code, "internal"))
        case KeyDestroyed():
            return Problem("personal-data-erased")
        case _:
            return Problem("internal")
