"""What holds for every request before its route is known, and for every answer: where it comes from, and headers."""

import ipaddress
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eventstore.operations import Refusal
from gateway.http.limits import Pace
from gateway.http.problems import Problem

RecordRefusal = Callable[[Refusal], Awaitable[None]]
"""As `Refusals`. Raises `StoreUnavailable`."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UNPROVEN_BURST: Final = 100
UNPROVEN_PER_S: Final = 1.0
"""Requests of one address whose caller was not proven. More are answered before anything is verified or recorded, so
that a flood of them costs neither. Whoever has just corrected a key or a token waits a second at most."""
_UNPROVEN: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT})

_FORWARDED: Final = ("forwarded", "via", "x-real-ip")
_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",  # browsers read it only where there is TLS
    "X-Content-Type-Options": "nosniff",
}
"""Of every answer that does not set its own."""


@dataclass(frozen=True, slots=True)
class Protection:
    """Who may speak to this gateway at all."""

    local_only: bool = False
    """Whether only programs of this machine may: so wherever nobody needs to prove who they are."""
    trusted_proxies: tuple[Network, ...] = ()
    """Who may say for whom they speak."""
    unproven: Pace = field(default_factory=lambda: Pace(UNPROVEN_BURST, UNPROVEN_PER_S))

    def refusal(self, scope: Scope) -> Problem | None:
        """Why this request is not answered at all."""
        headers = Headers(scope=scope)
        if self.local_only and not _is_local(headers):
            return Problem("not-local")
        address = self.limited(scope)
        wait_s = 0.0 if address is None else self.unproven.wait_s(address, time.monotonic())
        return Problem("too-many-messages", retry_after_s=max(1, round(wait_s))) if wait_s > 0 else None

    def note(self, scope: Scope, status: int) -> None:
        """What the request was answered with."""
        address = self.limited(scope)
        if address is not None and status in _UNPROVEN:
            self.unproven.spend(address, time.monotonic())

    def limited(self, scope: Scope) -> str | None:
        """The address whose pace is counted: an IPv6 subscriber's whole network; None for this machine's own."""
        client = scope.get("client")
        forwarded = Headers(scope=scope).get("x-forwarded-for", "").split(",")
        address = _nearest_untrusted((client[0] if client else "", *map(str.strip, reversed(forwarded))), self)
        if address is None or address.is_loopback:
            return None
        wide = ipaddress.ip_network((address, 64), strict=False) if address.version == 6 else address
        return str(wide)


def _nearest_untrusted(
    hops: Iterable[str], protection: Protection
) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The last hop that a trusted proxy names, or the first that is none."""
    found = None
    for hop in hops:
        try:
            found = ipaddress.ip_address(hop)
        except ValueError:
            return found
        if not any(found in network for network in protection.trusted_proxies):
            return found
    return found


def _is_local(headers: Headers) -> bool:
    """Whether this was sent by a program of this machine to an address of this machine, or by a page of that address.

    A page of another site can make a browser send requests here, under a name of its own that it lets point here (DNS
    rebinding): its `Host` or its `Origin` tell. A proxy tells by what it adds.
    """
    if any(name in _FORWARDED or name.startswith("x-forwarded-") for name in headers):
        return False
    origins = headers.getlist("origin")
    hosts = headers.getlist("host")
    return len(hosts) == 1 and _names_this_machine(f"//{hosts[0]}") and all(map(_names_this_machine, origins))


def _names_this_machine(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class ProtectionMiddleware:
    """ASGI middleware around all routes."""

    def __init__(self, app: ASGIApp, protection: Protection, record: RecordRefusal) -> None:
        self._app = app
        self._protection = protection
        self._record = record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._protection.note(scope, message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._protection.refusal(scope)
        if refused is not None and refused.code == "not-local":
            await self._record(Refusal(partner="", route="", code=refused.code, sender="", message_id=""))
        await (self._app if refused is None else refused.response())(scope, receive, protected)
