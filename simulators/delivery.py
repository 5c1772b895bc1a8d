"""Answers go to the gateway when they are due, and again until it takes them; a restart goes on where this ended."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, Literal

import httpx2
import structlog

from cases.clock import Clock
from cases.inbound.webhooks import Signer, sign
from simulators.messages import PartnerMessage, partner_of

logger = structlog.get_logger()

DELIVERY_TIMEOUT_S: Final = 2.0
"""The gateway only writes a row; below the caller's 5 s, so that an early answer does not fail the call itself."""
BACKOFF_FIRST_S: Final = 0.2
BACKOFF_MAX_S: Final = 5.0
"""A gateway that comes back hears of every due answer within this."""
AT_ONCE_MAX: Final = 16
"""Answers on their way at the same time."""
IDLE_S: Final = 3600.0
"""Nothing is due: look again after this at the latest; a new answer wakes at once."""

Outcome = Literal["taken", "refused"]


def system_time() -> datetime:
    """This machine's moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Due:
    id: int
    path: str
    message_id: str
    body: str
    attempts: int


class GatewayDelivery:
    """The `Scheduler` of a running stack: a table of answers, and a task that posts each when it is due.

    `run` is to run beside the app. A message that the gateway refuses for good (4xx) is noted as refused and logged;
    anything else is tried again, at most `BACKOFF_MAX_S` apart, for as long as it takes.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        gateway: httpx2.AsyncClient,
        clock: Clock,
        server_now: Callable[[], datetime] = system_time,
        keys: Mapping[str, tuple[Signer, ...]] = MappingProxyType({}),
    ) -> None:
        """`keys` has what each partner signs with; who has none sends unsigned."""
        self._database = database
        self._gateway = gateway
        self._clock = clock
        self._server_now = server_now
        self._keys = keys
        self._news = asyncio.Event()

    async def deliver(self, at: datetime, answer: PartnerMessage) -> None:
        """See `Scheduler`."""
        body = json.dumps(answer.body())
        row = self._database.execute(
            "INSERT INTO answer (due_at, path, message_id, body) VALUES (?, ?, ?, ?) RETURNING id",
            (at.timestamp(), answer.path, answer.message_id, body),
        ).fetchone()
        if at <= self._clock.now(self._server_now()):
            await self._attempt(_Due(row[0], answer.path, answer.message_id, body, attempts=0))
        self._news.set()

    async def run(self) -> None:
        """Deliver what falls due, for ever."""
        while True:
            self._news.clear()
            due = self._due()
            if due:
                await asyncio.gather(*map(self._attempt, due))
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), self._seconds_to_next())

    def _due(self) -> list[_Due]:
        now = self._server_now()
        rows = self._database.execute(
            "SELECT id, path, message_id, body, attempts FROM answer"
            " WHERE outcome IS NULL AND due_at <= ? AND coalesce(retry_at, 0) <= ? ORDER BY due_at, id LIMIT ?",
            (self._clock.now(now).timestamp(), now.timestamp(), AT_ONCE_MAX),
        )
        return [_Due(*row) for row in rows]

    def _seconds_to_next(self) -> float:
        due_at, retry_at = self._database.execute(
            "SELECT min(due_at) FILTER (WHERE retry_at IS NULL), min(retry_at) FROM answer WHERE outcome IS NULL"
        ).fetchone()
        now_s = self._server_now().timestamp()
        waits = [IDLE_S]
        if due_at is not None:
            waits.append(self._clock.server_time(datetime.fromtimestamp(due_at, UTC)).timestamp() - now_s)
        if retry_at is not None:
            waits.append(retry_at - now_s)
        return max(min(waits), 0.0)

    async def _attempt(self, due: _Due) -> None:
        # The row is out of `_due`'s sight while it is on its way, and comes back if this process dies.
        backoff_s = min(BACKOFF_FIRST_S * 2 ** min(due.attempts, 10), BACKOFF_MAX_S)
        self._note(due, None, retry_in_s=DELIVERY_TIMEOUT_S + backoff_s)
        outcome = await self._post(due)
        self._note(due, outcome, retry_in_s=backoff_s)
        self._news.set()

    def _note(self, due: _Due, outcome: Outcome | None, retry_in_s: float) -> None:
        self._database.execute(
            "UPDATE answer SET outcome = ?, attempts = ?, retry_at = ? WHERE id = ?",
            (outcome, due.attempts + 1, self._server_now().timestamp() + retry_in_s, due.id),
        )

    async def _post(self, due: _Due) -> Outcome | None:
        body = due.body.encode()
        headers = {"Content-Type": "application/json", **self._proof(due, body)}
        log = logger.bind(message_id=due.message_id, attempt=due.attempts + 1)
        try:
            async with asyncio.timeout(DELIVERY_TIMEOUT_S):
                response = await self._gateway.post(due.path, content=body, headers=headers)
        except (OSError, httpx2.RequestError) as failure:
            log.info("gateway_not_reached", error=type(failure).__name__)
            return None
        if response.is_success:
            return "taken"
        if response.status_code >= 500 or response.status_code in (408, 425, 429):
            log.info("gateway_not_ready", status=response.status_code)
            return None
        log.error("answer_refused", status=response.status_code)
        return "refused"

    def _proof(self, due: _Due, body: bytes) -> Mapping[str, str]:
        """The Standard Webhooks headers, made anew at each attempt; the machine's clock, never the domain's."""
        keys = self._keys.get(partner_of(due.path))
        return {"webhook-id": due.message_id} if keys is None else sign(keys, due.message_id, self._server_now(), body)
