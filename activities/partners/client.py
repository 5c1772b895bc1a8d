"""One partner's HTTP channel: what every call to a partner has in common.

The caller's retry policy owns retries (decision 6), so there are none here. Everything from the other side is bounded
and checked before it is believed.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import ValidationError

from activities.partners.errors import (
    PartnerBusy,
    PartnerError,
    PartnerMalformed,
    PartnerMisdirected,
    PartnerRefused,
    PartnerUnavailable,
    PartnerUnproven,
)
from activities.partners.requests import Accepted, AnswerGiven, Status, StatusSaid
from activities.partners.signing import UNSIGNED, CallKeys, Unproven
from domain.kernel.ids import Code
from domain.kernel.messages import PartnerCheck
from domain.kernel.proof import Proof, claimed

CALL_TIMEOUT_S: Final = 5.0
"""For a whole call, connecting and reading included (decision 6): an appending activity may wait for one call."""
RESPONSE_MAX_BYTES: Final = 64 * 1024
"""A receipt has some 150 bytes, an answer some hundreds; more than this is neither."""
RETRY_AFTER_MAX_S: Final = 3600.0
"""The longest pause a partner can impose: a case must not wait days for a wrong header."""

Said = TypeVar("Said")
Judge = Callable[[httpx2.Response], Awaitable[Said | PartnerError]]
"""What a response says, or what is wrong with it."""


class PartnerChannel:
    """Sends requests to one partner, at `<base_url>/v1/requests`; its answers are to come to `reply_to`.

    `http` is to follow no redirects, read no environment and keep no cookies (`clients.py` makes it so).
    """

    def __init__(
        self,
        partner: Code,
        base_url: str,
        reply_to: str,
        http: httpx2.AsyncClient,
        timeout_s: float = CALL_TIMEOUT_S,
        keys: CallKeys = UNSIGNED,
    ) -> None:
        self._partner = partner
        self._url = f"{base_url.rstrip('/')}/v1/requests"
        self._reply_to = reply_to
        self._http = http
        self._timeout_s = timeout_s
        self._keys = keys

    async def send(self, request: PartnerCheck) -> Accepted:
        """Send `request` once. Raises a `PartnerError`, whose class says what to do next."""

        async def judge(response: httpx2.Response) -> Accepted | PartnerError:
            if response.status_code == httpx2.codes.ACCEPTED:
                return self._receipt(request, await self._body(response))
            return self._trouble(response)

        body = request.model_dump(mode="json") | {"reply_to": self._reply_to}
        content = json.dumps(body, ensure_ascii=False).encode()
        proof = self._keys.signed(request.request_id, content)
        headers = {"Content-Type": "application/json", "Idempotency-Key": request.request_id, **proof}
        return await self._exchange(judge, "POST", self._url, content=content, headers=headers)

    async def status(self, request_id: str, case_id: str) -> Status:
        """Ask once what became of a request. Raises a `PartnerError`, as `send`."""

        async def judge(response: httpx2.Response) -> Status | PartnerError:
            if response.status_code == httpx2.codes.OK:
                return self._proven_status(request_id, case_id, response, await self._body(response))
            if response.status_code in (httpx2.codes.NOT_FOUND, httpx2.codes.GONE):
                return "unknown"
            return self._trouble(response)

        address = f"{self._url}/{quote(request_id, safe='')}"
        return await self._exchange(judge, "GET", address, headers=self._keys.signed(request_id, b""))

    async def _exchange(self, judge: "Judge[Said]", method: str, url: str, **sent: Any) -> Said:
        # Raised here, outside of every except block: a cause or context would hold the request's body.
        outcome = await self._attempt(judge, method, url, **sent)
        if isinstance(outcome, PartnerError):
            raise outcome
        return outcome

    async def _attempt(
        self, judge: "Judge[Said]", method: str, url: str, content: bytes = b"", headers: dict[str, str] | None = None
    ) -> Said | PartnerError:
        # Not compressed: a few bytes could unpack to more than memory holds.
        plain = {**(headers or {}), "Accept-Encoding": "identity"}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._http.stream(method, url, content=content, headers=plain) as response,
            ):
                return await judge(response)
        except (TimeoutError, httpx2.TimeoutException):
            return PartnerUnavailable(self._partner, "timeout")
        except (OSError, httpx2.TransportError):
            return PartnerUnavailable(self._partner, "connection")

    def _trouble(self, response: httpx2.Response) -> PartnerError:
        status, code = response.status_code, f"http-{response.status_code}"
        retry_after_s = _retry_after_s(response.headers)
        if status == httpx2.codes.TOO_MANY_REQUESTS or (
            status == httpx2.codes.SERVICE_UNAVAILABLE and retry_after_s is not None
        ):
            return PartnerBusy(self._partner, code, retry_after_s=retry_after_s)
        if status >= 500 or status == httpx2.codes.REQUEST_TIMEOUT:
            return PartnerUnavailable(self._partner, code)
        if 400 <= status < 500:
            return PartnerRefused(self._partner, code)
        return PartnerMalformed(self._partner, code)

    async def _body(self, response: httpx2.Response) -> bytes | PartnerError:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            return PartnerMalformed(self._partner, "encoded")
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > RESPONSE_MAX_BYTES:
                return PartnerMalformed(self._partner, "too-long")
        return bytes(body)

    def _receipt(self, request: PartnerCheck, body: bytes | PartnerError) -> Accepted | PartnerError:
        if isinstance(body, PartnerError):
            return body
        try:
            accepted = Accepted.model_validate_json(body)
        except ValidationError:
            return PartnerMalformed(self._partner, "not-a-receipt")
        return self._misdirected(request.request_id, request.case_id, accepted) or accepted

    def _proven_status(
        self, request_id: str, case_id: str, response: httpx2.Response, body: bytes | PartnerError
    ) -> Status | PartnerError:
        if isinstance(body, PartnerError):
            return body
        key = self._keys.prove(request_id, response.headers, body)
        if isinstance(key, Unproven):
            return PartnerUnproven(self._partner, f"signature-{key.fault}")
        return self._status(request_id, case_id, body, key)

    def _status(self, request_id: str, case_id: str, body: bytes, key: str | None) -> Status | PartnerError:
        try:
            said = StatusSaid.model_validate_json(body)
        except ValidationError:
            return PartnerMalformed(self._partner, "not-a-status")
        wrong = self._misdirected(request_id, case_id, said)
        if wrong is not None or said.answer is None or said.message_id is None:
            return wrong or "pending"
        if said.answer.get("case") != case_id:
            return PartnerMisdirected(self._partner, "another-case")
        if said.answer.get("request_id", request_id) != request_id:
            return PartnerMisdirected(self._partner, "another-request")
        proof = claimed(self._partner) if key is None else Proof("asked", self._partner, key)
        return AnswerGiven(said.message_id, proof, json.dumps(said.answer).encode())

    def _misdirected(self, request_id: str, case_id: str, said: Accepted | StatusSaid) -> PartnerMisdirected | None:
        if said.request_id != request_id:
            return PartnerMisdirected(self._partner, "another-request")
        if said.case_id not in (None, case_id):
            return PartnerMisdirected(self._partner, "another-case")
        return None


def _retry_after_s(headers: httpx2.Headers) -> float | None:
    """The pause that Retry-After asks for, from 0 to `RETRY_AFTER_MAX_S`; None where there is none to be read."""
    asked = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+", asked, re.ASCII):
        # More digits than an hour needs would cost time to read as a number.
        return RETRY_AFTER_MAX_S if len(asked) > 9 else min(float(asked), RETRY_AFTER_MAX_S)
    until = _http_date(asked)
    if until is None:
        return None
    # The partner's own clock where it tells it, since its date was written by that clock.
    pause = until - (_http_date(headers.get("Date", "")) or datetime.now(UTC))
    return min(max(pause.total_seconds(), 0.0), RETRY_AFTER_MAX_S)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
