"""The outermost layer of the app: it logs and counts every request and turns every exception into an answer.

A log line holds the method, the route's template, the status, the duration, the caller's reference and an id of the
request, which the answer names too. It never holds an address, which has ids in it, or a part of a body. An exception's
text may hold personal data, so only its class and place are logged.
"""

import secrets
import time
from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from activities.failures import code_of, log_failure
from gateway.http.metrics import GatewayMetrics
from gateway.http.problems import Problem, ProblemCode

_log = structlog.get_logger()

_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Routes that machines request every few seconds."""
_CLIENT_GONE: Final = 499
"""The caller closed the connection before the answer (a code of nginx)."""


class RequestLogMiddleware:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, metrics: GatewayMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = time.perf_counter()
        request_id = secrets.token_hex(8)
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except ClientDisconnect:
            status = status or _CLIENT_GONE
        except Exception as error:  # noqa: BLE001  the boundary: whatever it is, nothing of it may reach a sender
            log_failure("request failed", error)
            if status == 0:
                await Problem(_answer_to(error)).response()(scope, receive, noting)
        finally:
            self._note(scope, status, time.perf_counter() - started_s, request_id)

    def _note(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        route = getattr(scope.get("route"), "path", "(none)")
        method = scope["method"] if scope["method"] in _METHODS else "(other)"
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.latency.labels(route).observe(seconds)
        level = 10 if route in _QUIET else 20
        identity = scope.get("state", {}).get("identity")
        caller = "" if identity is None else str(identity)
        ms = round(seconds * 1000, 1)
        _log.log(level, "request", method=method, route=route, status=status, ms=ms, caller=caller, id=request_id)


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _answer_to(error: Exception) -> ProblemCode:
    return "unavailable" if code_of(error) in _PASSING else "internal"


_PASSING: Final = frozenset({"database-unavailable", "temporal-unavailable", "timed-out"})
