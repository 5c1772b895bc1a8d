"""Turns a valid message into a receipt: one row in the inbox, and its answer if the sender waits for it."""

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Final

import structlog
from pydantic import AwareDatetime, BaseModel, Field

from activities.notify import PendingNotification
from cases.programme_commands import handle_programme
from eventstore.conflicts import Conflict
from eventstore.inbox import Answer, Inbox, Incoming, MessageContentDiffers, Receipt, UnknownStream
from eventstore.port import Notification
from gateway.deps import GatewayDeps
from gateway.http.metrics import GatewayMetrics
from gateway.http.problems import Problem

_log = structlog.get_logger()

WAIT_MAX_S: Final = 10.0
"""Longer than a decision takes in normal operation, and shorter than the 30 s after which proxies give up."""
_POLL_FIRST_S: Final = 0.02
_POLL_MAX_S: Final = 0.25
WAITING_MAX: Final = 64
"""Requests that wait at the same time, at some four reads a second each. Further ones return at once, without an
answer."""


class Taken(BaseModel):
    """The receipt of a message. The message is stored durably; the answer follows when its case has taken it."""

    message_id: str
    number: int = Field(description="Its place in the inbox.", examples=[4711])
    received_at: AwareDatetime = Field(description="The time that decides whether it met a deadline.")
    answer: Answer | None = Field(default=None, description="Null until the case or the programme has answered.")
    code: str | None = Field(default=None, description="Why it was rejected.", examples=["no-open-request"])

    @classmethod
    def of(cls, receipt: Receipt, message_id: str) -> "Taken":
        """The sender's view of a receipt; `message_id` is the sender's own."""
        return cls(
            message_id=message_id,
            number=receipt.number,
            received_at=receipt.received_at,
            answer=receipt.answer,
            code=receipt.code,
        )


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one request waits for an answer by polling the inbox, and the limit on such requests."""

    places: asyncio.Semaphore
    wait_s: float

    async def answer(self, inbox: Inbox, source: str, receipt: Receipt) -> Receipt:
        """The receipt with its answer, or without one if the time is over or too many requests wait."""
        if receipt.answer is not None or self.wait_s <= 0 or self.places.locked():
            return receipt
        async with self.places:
            until_s, pause_s = time.monotonic() + self.wait_s, _POLL_FIRST_S
            while (left_s := until_s - time.monotonic()) > 0:
                await asyncio.sleep(min(pause_s, left_s))
                pause_s = min(pause_s * 1.5, _POLL_MAX_S)
                receipt = await inbox.get(source, receipt.message_id) or receipt
                if receipt.answer is not None:
                    break
        return receipt


_SECONDS: Final = re.compile(r"[0-9]{1,6}")


def wished_wait_s(prefer: str | None) -> float:
    """How long a request asks to wait (RFC 7240 `wait`), bounded; 0 if it does not ask.

    Preferences that are not understood are ignored, as the RFC requires. The header is parsed in one pass, since it may
    be 64 KiB of blanks.
    """
    for wish in (prefer or "").replace(";", ",").split(","):
        name, equals, value = wish.partition("=")
        if name.strip().lower() != "wait":
            continue
        if not equals:
            return WAIT_MAX_S
        if _SECONDS.fullmatch(seconds := value.strip().strip('"')):
            return min(float(seconds), WAIT_MAX_S)
    return 0.0


async def receive(deps: GatewayDeps, metrics: GatewayMetrics, incoming: Incoming) -> Receipt:
    """Write the message into the inbox; the relay then notifies its case.

    Raises:
        Problem: `message-content-differs`, `unknown-case` or `unknown-programme`.
        KeyDestroyed, StoreUnavailable: as `Inbox.receive`.
    """
    kind: str = incoming.body.message
    try:
        receipt = await deps.inbox.receive(incoming)
    except MessageContentDiffers:
        _log.error(
            "message content differs", alarm=True, source=incoming.source, message_id=incoming.message_id, kind=kind
        )
        raise Problem("message-content-differs") from None
    except UnknownStream:
        raise Problem("unknown-programme" if incoming.case_id is None else "unknown-case") from None
    metrics.received.labels(kind, str(receipt.first).lower()).inc()
    return receipt


async def decide_programme(deps: GatewayDeps, source: str, receipt: Receipt) -> Receipt:
    """Decide the programme's messages now; the relay notifies the cases they concern.

    The answer stays null if other changes of the programme conflicted with every attempt. The message is in the inbox
    then, and the relay decides it.
    """
    if receipt.answer is not None:
        return receipt
    try:
        await handle_programme(deps.cases, receipt.stream, deps.now())
    except Conflict:
        return receipt
    return await deps.inbox.get(source, receipt.message_id) or receipt


def of_store(notification: Notification) -> PendingNotification:
    """A notification that an append wrote, as it is sent."""
    return PendingNotification(notification.case_id, notification.kind, notification.message_id, notification.number)
