"""Everything that is sent: to the gateway as a partner would, and to the simulated partners as their director.

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
import structlog

from cases.inbound.webhooks import Signer, sign
from cases.inbound.wire import PartnerName
from simulators.app import PassportScripts as PartnerScript

_log = structlog.get_logger()

PATIENCE_S: Final = 120.0
"""A process that is restarted answers within seconds, on a loaded machine within half a minute."""
REQUEST_TIMEOUT_S: Final = 20.0
"""The gateway holds an answer back for ten seconds at most."""
_PAUSE_S: Final = 0.2
_PREFER: Final = {"Prefer": "wait=5"}
_TRANSIENT: Final = frozenset({408, 425, 429})


class DoorClosedError(Exception):
    """A request was refused, or nobody answered for `PATIENCE_S`. One line, nothing of what was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a message."""

    answer: str
    code: str | None = None


Sign = Callable[[bytes], Mapping[str, str]]
"""The headers with which a body is sent now."""


def _unsigned(_: bytes) -> Mapping[str, str]:
    return {}


class Door:
    """The gateway and the simulated partners over HTTP."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        gateway_url: str,
        partners_url: str,
        keys: Mapping[str, tuple[Signer, ...]] = MappingProxyType({}),
    ) -> None:
        """`keys` has what each sender signs with; who has none sends unsigned."""
        self._http = http
        self._keys = keys
        self._gateway = gateway_url
        self._partners = partners_url

    async def script_partners(self, scripts: Sequence[PartnerScript]) -> None:
        """Tell the simulated partners how to answer whom."""
        body = [script.model_dump(mode="json", exclude_none=True) for script in scripts]
        await self._send("PUT", f"{self._partners}/scripts/passports", {}, body)

    async def file(self, key: str, programme: str, application: Mapping[str, Any]) -> str:
        """File an application under its idempotency key; returns the case's id."""
        body = {"programme": programme, "application": application}
        filed = await self._send("POST", f"{self._gateway}/v1/applications", {"Idempotency-Key": key}, body)
        return str(filed["case_id"])

    async def send(self, by: PartnerName, message_id: str, body: Mapping[str, Any]) -> Answer:
        """Send a message and wait for its answer."""
        address = f"{self._gateway}/v1/partners/{by}/messages"
        taken = await self._send("POST", address, _PREFER, body, self._signer(by, message_id))
        until = time.monotonic() + PATIENCE_S
        while taken["answer"] is None:
            if time.monotonic() > until:
                raise DoorClosedError(f"{body['message']} was taken and not answered within {PATIENCE_S:g} s")
            await asyncio.sleep(_PAUSE_S)
            taken = await self._send("GET", f"{address}/{message_id}", _PREFER, sign=self._signer(by, message_id))
        return Answer(taken["answer"], taken["code"])

    async def may_board(self, case_id: str) -> Answer:
        """Ask as a carrier does."""
        found = await self._send("POST", f"{self._gateway}/v1/boarding-checks", {}, {"case": case_id})
        return Answer(found["answer"])

    async def places_taken(self, programme: str) -> int:
        """How many places are taken and not freed."""
        return int((await self._send("GET", f"{self._gateway}/v1/programmes/{programme}", {}))["authorized"])

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
        until = time.monotonic() + PATIENCE_S
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
                raise DoorClosedError(f"{method} {_route(url)} was refused: {response.status_code} {_type(response)}")
            if time.monotonic() > until:
                raise DoorClosedError(f"{method} {_route(url)} was not answered within {PATIENCE_S:g} s")
            await asyncio.sleep(_PAUSE_S)


def _route(url: str) -> str:
    """The address without its host and without ids."""
    return "/" + "/".join(url.split("/")[3:5])


def _type(response: httpx2.Response) -> str:
    try:
        return str(response.json().get("type", "")).rpartition(":")[2]
    except ValueError:
        return ""
