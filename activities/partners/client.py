"""One partner's HTTP channel: what every call to a partner has in common.

The caller's retry policy owns retries (decision 6), so there are none here. Everything from the other side is bounded
and checked before it is believed.
"""

import asyncio
import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2
from pydantic import ValidationError

from activities.partners.errors import (
    PartnerBusy,
    PartnerError,
    PartnerMalformed,
    PartnerMisdirected,
    PartnerRefused,
    PartnerUnavailable,
)
from activities.partners.requests import Accepted, PartnerRequest
from domain.vocabulary import Partner

CALL_TIMEOUT_S: Final = 5.0
"""For a whole call, connecting and reading included (decision 6): an appending activity may wait for one call."""
RESPONSE_MAX_BYTES: Final = 64 * 1024
"""A receipt has some 150 bytes; more than this is not a receipt."""
RETRY_AFTER_MAX_S: Final = 3600.0
"""The longest pause a partner can impose: a case must not wait days for a wrong header."""


class PartnerChannel:
    """Sends requests to one partner, at `<base_url>/v1/requests`; its answers are to come to `reply_to`.

    `http` is to follow no redirects, read no environment and keep no cookies (`clients.py` makes it so).
    """

    def __init__(
        self,
        partner: Partner,
        base_url: str,
        reply_to: str,
        http: httpx2.AsyncClient,
        timeout_s: float = CALL_TIMEOUT_S,
    ) -> None:
        self._partner = partner
        self._url = f"{base_url.rstrip('/')}/v1/requests"
        self._reply_to = reply_to
        self._http = http
        self._timeout_s = timeout_s

    async def send(self, request: PartnerRequest) -> Accepted:
        """Send `request` once. Raises a `PartnerError`, whose class says what to do next."""
        # Raised here, outside of every except block: a cause or context would hold the request's body.
        outcome = await self._exchange(request)
        if isinstance(outcome, PartnerError):
            raise outcome
        return outcome

    async def _exchange(self, request: PartnerRequest) -> Accepted | PartnerError:
        body = request.model_dump(mode="json") | {"reply_to": self._reply_to}
        headers = {
            "Accept-Encoding": "identity",  # a few compressed bytes could unpack to more than memory holds
            "Content-Type": "application/json",
            "Idempotency-Key": request.request_id,
        }
        content = json.dumps(body, ensure_ascii=False).encode()
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._http.stream("POST", self._url, content=content, headers=headers) as response,
            ):
                return await self._judge(request, response)
        except (TimeoutError, httpx2.TimeoutException):
            return PartnerUnavailable(self._partner, "timeout")
        except (OSError, httpx2.TransportError):
            return PartnerUnavailable(self._partner, "connection")

    async def _judge(self, request: PartnerRequest, response: httpx2.Response) -> Accepted | PartnerError:
        status, code = response.status_code, f"http-{response.status_code}"
        retry_after_s = _retry_after_s(response.headers)
        if status == httpx2.codes.ACCEPTED:
            return await self._receipt(request, response)
        if status == httpx2.codes.TOO_MANY_REQUESTS or (
            status == httpx2.codes.SERVICE_UNAVAILABLE and retry_after_s is not None
        ):
            return PartnerBusy(self._partner, code, retry_after_s=retry_after_s)
        if status >= 500 or status == httpx2.codes.REQUEST_TIMEOUT:
            return PartnerUnavailable(self._partner, code)
        if 400 <= status < 500:
            return PartnerRefused(self._partner, code)
        return PartnerMalformed(self._partner, code)

    async def _receipt(self, request: PartnerRequest, response: httpx2.Response) -> Accepted | PartnerError:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            return PartnerMalformed(self._partner, "encoded")
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > RESPONSE_MAX_BYTES:
                return PartnerMalformed(self._partner, "too-long")
        try:
            accepted = Accepted.model_validate_json(bytes(body))
        except ValidationError:
            return PartnerMalformed(self._partner, "not-a-receipt")
        if accepted.request_id != request.request_id:
            return PartnerMisdirected(self._partner, "another-request")
        if accepted.case_id not in (None, request.case_id):
            return PartnerMisdirected(self._partner, "another-case")
        return accepted


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
