"""Everything that people, partners and governments send: to the gateway and to the simulated partners over HTTP.

A service that is being restarted is asked again, under the same idempotency key, until it answers.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import httpx2

from cases.inbound.webhooks import Signer, sign
from cases.inbound.wire import PartnerName
from simulators.app import PassportScripts

PATIENCE_S: Final = 120.0
"""A process that is restarted answers within seconds, on a loaded machine within half a minute."""
REQUEST_TIMEOUT_S: Final = 20.0
"""The gateway holds an answer back for ten seconds at most."""
_PAUSE_S: Final = 0.2
_PREFER: Final = {"Prefer": "wait=5"}
_UNKNOWN: Final = 404
"""Nobody has filed such a case, or sent such a message."""
_TRANSIENT: Final = frozenset({408, 425, 429})


class RequestRefusedError(Exception):
    """A request was refused, or nobody answered in time. One line, nothing of what was sent."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a message."""

    answer: str
    code: str | None = None


Sign = Callable[[bytes], Mapping[str, str]]
"""The headers with which a body is sent now."""


def _unsigned(_: bytes) -> Mapping[str, str]:
    return {}


class GatewayClient:
    """The gateway and the simulated partners.

    Args:
        http: a client whose base address is the gateway's, unless `gateway_url` is given.
        keys: what each sender signs with; who has none sends unsigned.
        patience_s: for so long a service that does not answer is asked again.
    """

    def __init__(
        self,
        http: httpx2.AsyncClient,
        gateway_url: str = "",
        partners_url: str = "",
        keys: Mapping[str, tuple[Signer, ...]] = MappingProxyType({}),
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._http = http
        self._gateway = gateway_url
        self._partners = partners_url
        self._keys = keys
        self._patience_s = patience_s

    async def script_partners(self, scripts: Sequence[PassportScripts]) -> None:
        """Tell the simulated partners how to answer whom. Raises `RequestRefusedError`."""
        body = [script.model_dump(mode="json", exclude_none=True) for script in scripts]
        await self._send("PUT", f"{self._partners}/scripts/passports", {}, body)

    async def file(self, key: str, programme: str, application: Mapping[str, Any]) -> str:
        """File an application under its idempotency key; the case's id. Raises `RequestRefusedError`."""
        body = {"programme": programme, "application": application}
        filed = await self._send("POST", f"{self._gateway}/v1/applications", {"Idempotency-Key": key}, body)
        return str(filed["case_id"])

    async def deliver(self, by: PartnerName, message_id: str, body: Mapping[str, Any]) -> None:
        """Deliver a message; one to a case that nobody filed comes to nothing. Raises `RequestRefusedError`."""
        try:
            await self._send("POST", self._messages(by), {}, body, self._signer(by, message_id))
        except RequestRefusedError as refused:
            if refused.status != _UNKNOWN:
                raise

    async def reply_to(self, by: PartnerName, message_id: str) -> Reply:
        """Wait for the answer to a message; `rejected` where the gateway did not take it.

        Raises:
            RequestRefusedError: it is not answered in time.
        """
        until, address = time.monotonic() + self._patience_s, f"{self._messages(by)}/{message_id}"
        while True:
            try:
                taken = await self._send("GET", address, _PREFER, sign=self._signer(by, message_id))
            except RequestRefusedError as refused:
                if refused.status != _UNKNOWN:
                    raise
                return Reply("rejected", "unknown-case")
            if taken["answer"] is not None:
                return Reply(taken["answer"], taken["code"])
            if time.monotonic() > until:
                raise RequestRefusedError(f"a message of {by} was taken and not answered")
            await asyncio.sleep(_PAUSE_S)

    async def send(self, by: PartnerName, message_id: str, body: Mapping[str, Any]) -> Reply:
        """Deliver a message and wait for its answer. Raises `RequestRefusedError`."""
        await self.deliver(by, message_id, body)
        return await self.reply_to(by, message_id)

    async def may_board(self, case_id: str) -> str:
        """Ask as a carrier does; `none` about a case that nobody filed. Raises `RequestRefusedError`."""
        try:
            found = await self._send("POST", f"{self._gateway}/v1/boarding-checks", {}, {"case": case_id})
        except RequestRefusedError as refused:
            if refused.status != _UNKNOWN:
                raise
            return "none"
        return str(found["answer"])

    def _messages(self, by: PartnerName) -> str:
        return f"{self._gateway}/v1/partners/{by}/messages"

    def _signer(self, by: PartnerName, message_id: str) -> Sign:
        keys = self._keys.get(by)
        if keys is None:
            return lambda _: {"webhook-id": message_id}
        return lambda content: sign(keys, message_id, datetime.now(UTC), content)

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: object = None, sign: Sign = _unsigned
    ) -> dict[str, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        until = time.monotonic() + self._patience_s
        while True:
            try:
                whole = {**headers, **kind, **sign(content)}  # signed anew at each attempt
                response = await self._http.request(method, url, headers=whole, content=content)
            except (OSError, httpx2.RequestError):
                response = None
            if response is not None and response.is_success:
                found: dict[str, Any] = response.json() if response.content else {}
                return found
            if response is not None and response.status_code < 500 and response.status_code not in _TRANSIENT:
                raise _refused(method, url, response)
            if time.monotonic() > until:
                raise RequestRefusedError(f"{method} {_route(url)} was not answered within {self._patience_s:g} s")
            await asyncio.sleep(_PAUSE_S)


def _refused(method: str, url: str, response: httpx2.Response) -> RequestRefusedError:
    try:
        code = str(response.json().get("code", ""))
    except ValueError:
        code = ""
    told = f"{method} {_route(url)} was refused: {response.status_code} {code}"
    return RequestRefusedError(told, response.status_code)


def _route(url: str) -> str:
    """The address without its host and without ids."""
    path = httpx2.URL(url).path.split("/")
    return "/".join(path[:3])
