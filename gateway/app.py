"""The gateway's app: every application, message, boarding check and status request comes in here."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from activities.failures import log_failure
from cases.inbound import faults
from cases.inbound.faults import BodyRefused
from domain import registry
from domain.kernel.ids import GivenId
from domain.kernel.proof import Proof
from eventstore.conflicts import StoreUnavailable
from eventstore.keys import KeyDestroyed
from eventstore.operations import Refusal
from gateway.deps import GatewayDeps
from gateway.http.metrics import GatewayMetrics
from gateway.http.openapi import document
from gateway.http.problems import Problem, ProblemCode
from gateway.http.protection import ProtectionMiddleware
from gateway.http.request_log import RequestLogMiddleware
from gateway.pages import reference, routes
from gateway.pages.errors import error_page, is_page
from gateway.routes import applications, boarding, cases, documents, log, messages, operations, programmes
from gateway.routes.intake import WAITING_MAX

_ROUTERS: Final = (
    messages.router,  # first: most requests are messages
    applications.router,
    boarding.router,
    cases.router,
    documents.router,
    programmes.router,
    log.router,
    operations.router,
    routes.router,
    reference.router,
)
_MESSAGE_ID: Final = TypeAdapter[str](GivenId)
MISSES: Final = frozenset[ProblemCode]({"unknown-case", "unknown-document"})
"""Answers of which a caller may have few: whoever has many is trying ids."""
_OF_STATUS: Final[Mapping[int, ProblemCode]] = {404: "not-found", 405: "method-not-allowed"}


def create_app(deps: GatewayDeps) -> FastAPI:
    """The app over these parts. Its only state is counters; it opens and closes nothing."""
    app = FastAPI(title="Passage", version="1", docs_url=None, redoc_url=None)
    app.state.deps = deps
    app.state.metrics = metrics = GatewayMetrics()
    app.state.waiting = asyncio.Semaphore(WAITING_MAX)
    app.state.readiness = operations.Readiness()
    app.state.uploads = Counter[str]()
    for router in _ROUTERS:
        app.include_router(router)
    for kind in (Problem, BodyRefused, RequestValidationError, HTTPException, KeyDestroyed):
        app.add_exception_handler(kind, _refuse)
    if deps is not None:  # None where only the OpenAPI document is wanted
        app.add_middleware(ProtectionMiddleware, protection=deps.protection, record=deps.record_refusal)
    app.add_middleware(RequestLogMiddleware, metrics=metrics)
    app.openapi = _documented(app)  # type: ignore[method-assign]  # FastAPI's own way to extend the document
    return app


def _documented(app: FastAPI) -> Callable[[], dict[str, Any]]:
    return lambda: document(app)


async def _refuse(request: Request, error: Exception) -> Response:
    """Answer with a problem. The error's own text is not passed on: it may repeat what was sent."""
    problem = _problem_of(error)
    try:
        await _record(request, problem)
    except StoreUnavailable as failure:  # a refusal counts only once it is recorded
        log_failure("refusal not recorded", failure)
        problem = Problem("unavailable")
    metrics: GatewayMetrics = request.app.state.metrics
    metrics.refused.labels(problem.code, _partner_of(request)).inc()
    if is_page(request):
        return error_page(request, problem)
    return problem.response({"Allow": _allowed_at(request.scope["path"])} if problem.status == 405 else None)


def _allowed_at(path: str) -> str:
    """Every method of an address (RFC 9110, 15.5.6). A router names those of the first matching route."""
    routes = (route for router in _ROUTERS for route in router.routes if isinstance(route, APIRoute))
    found = {method for route in routes if route.path_regex.match(path) for method in route.methods or ()}
    return ", ".join(sorted(found))


async def _record(request: Request, problem: Problem) -> None:
    """Record a refused message or filing, and a refused caller of any route.

    Opening a page before signing in is no refusal: the page only asks the visitor to sign in.
    """
    route = getattr(request.scope.get("route"), "path", "")
    asked = is_page(request) and problem.code == "token-missing"
    deps: GatewayDeps = request.app.state.deps
    identity: Proof | None = getattr(request.state, "identity", None)
    if problem.code in MISSES and identity is not None:
        deps.misses.note(str(identity))
    wanted = request.method in ("POST", "PUT") or problem.code in MISSES or (problem.status in (401, 403) and not asked)
    if not wanted or not route or problem.status >= 500:
        return
    refusal = Refusal(
        partner=_partner_of(request),
        route=route,
        code=problem.recorded_as,
        sender="" if identity is None else str(identity),
        message_id=_message_id_of(request, deps),
    )
    await deps.record_refusal(refusal)


def _partner_of(request: Request) -> str:
    partner = request.path_params.get("partner", "")
    return partner if partner in registry.senders() else ""


def _message_id_of(request: Request, deps: GatewayDeps) -> str:
    """A mark that is the same for the same id: what was refused has no case whose erasure would reach the id itself."""
    given = request.headers.get("webhook-id") or request.headers.get("idempotency-key") or ""
    try:
        return deps.cases.message_id("refused", _MESSAGE_ID.validate_python(given))
    except ValidationError:
        return ""


def _problem_of(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case BodyRefused():
            return Problem.of(error)
        case RequestValidationError():
            return Problem("malformed", faults=faults.of_parameters(error.errors()))
        case HTTPException():
            return Problem(_OF_STATUS.get(error.status_code, "internal"))
        case KeyDestroyed():
            return Problem("personal-data-erased")
        case _:
            return Problem("internal")
