"""All partners together: how the clients are made, and who is called."""

import ipaddress
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx2

from activities.partners.client import CALL_TIMEOUT_S, PartnerChannel
from activities.partners.requests import Accepted, Status
from activities.partners.signing import UNSIGNED, CallKeys
from domain import registry
from domain.kernel.messages import PartnerCheck
from eventstore.partner_calls import Paused

CONNECTIONS_MAX: Final = 32
"""To one partner at once, with a pool of its own: a slow partner uses up nobody else's connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSecurity:
    """How partners are known in calls."""

    keys: Mapping[str, CallKeys] = field(default_factory=dict)
    """A partner without an entry gets unsigned requests, and its answers are believed."""
    tls: ssl.SSLContext | None = None
    """In place of the authorities that come with the HTTP client."""


OPEN: Final = CallSecurity()
"""For simulations and tests."""


@dataclass(frozen=True, slots=True)
class PartnerClients:
    """One channel a partner, by its name."""

    channels: Mapping[str, PartnerChannel]

    async def call(self, partner: str, check: PartnerCheck) -> Accepted:
        """Send `check` to `partner` once. Raises `PartnerError`, or `TypeError` for another partner's check."""
        asks = registry.partner(partner).asks
        if not isinstance(check, asks):
            raise TypeError(f"{type(check).__name__} was about to go to {partner}, which is sent {asks.__name__}")
        return await self.channels[partner].send(check)

    async def status(self, partner: str, request_id: str, case_id: str) -> Status:
        """Ask `partner` once what became of a request. Raises `PartnerError`."""
        return await self.channels[partner].status(request_id, case_id)

    async def pause(self, _: str) -> Paused | None:
        """None: these send whatever they are given (`circuit.py` does not)."""
        return None


@asynccontextmanager
async def open_partner_clients(
    urls: Mapping[str, str],
    gateway_url: str,
    *,
    transport: httpx2.AsyncBaseTransport | None = None,
    timeout_s: float = CALL_TIMEOUT_S,
    security: CallSecurity = OPEN,
) -> AsyncIterator[PartnerClients]:
    """Clients over HTTP, closed on leaving.

    `urls` has the base address of each partner; partners answer to `<gateway_url>/v1/partners/<partner>/messages`.
    `transport` takes the place of the network. Raises `ValueError` for an address that is not https, or http on a
    loopback address.
    """
    # The list of authorities is long, so it is read once for all partners; what is no network needs none.
    authorities = security.tls or transport is not None or httpx2.create_ssl_context(trust_env=False)
    async with AsyncExitStack() as stack:

        async def channel(partner: str) -> PartnerChannel:
            address = _checked(partner, urls[partner], over_network=transport is None)
            http = await stack.enter_async_context(_http_client(transport, timeout_s, authorities=authorities))
            reply_to = f"{gateway_url.rstrip('/')}/v1/partners/{partner}/messages"
            return PartnerChannel(partner, address, reply_to, http, timeout_s, security.keys.get(partner, UNSIGNED))

        yield PartnerClients({partner: await channel(partner) for partner in urls})


def _http_client(
    transport: httpx2.AsyncBaseTransport | None, timeout_s: float, *, authorities: ssl.SSLContext | bool
) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=transport,
        verify=authorities,
        follow_redirects=False,  # personal data goes to the agreed address or nowhere
        trust_env=False,  # no proxy or .netrc of whoever started the worker
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # nothing ties one case's call to another's
        timeout=timeout_s,
        limits=httpx2.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX),
        headers={"User-Agent": "passage", "Accept": "application/json"},
    )


def _checked(partner: str, address: str, *, over_network: bool) -> str:
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL:
        url = httpx2.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"the address of {partner} is not an http or https address")
    if url.scheme == "http" and over_network and not _is_loopback(url.host):
        # Requests hold personal data, and whoever can read them could also answer.
        raise ValueError(f"the address of {partner} is neither https nor on this machine")
    return address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
