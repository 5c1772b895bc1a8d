"""Direct signals: what a trusted service or an operator signalled is written to the inbox first (decision 4).

A message is received when the server had its signal, however much later a worker comes to see it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog
from pydantic import ValidationError
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from activities.contracts import INBOX_ONLY, MESSAGE_SENDERS, Advance, DirectMessage
from cases.clock import Clock
from domain import registry
from eventstore.inbox import Inbox, Incoming, MessageContentDiffers

_log = structlog.get_logger()

UNKNOWN_SENDER: Final = "temporal"
"""Recorded where the server does not tell who signalled."""
HISTORY_MAX: Final = 5_000
"""Events of the history that are looked through for a signal's sender; a run continues as new well before."""


@dataclass(frozen=True, slots=True)
class _Signalled:
    """What the server knows of a signal: who sent it, for the record, and when, in domain time."""

    sender: str
    at: datetime


class DirectSignals:
    """Writes direct signals to the inbox; what cannot be a message is refused, logged by its code, and goes nowhere."""

    def __init__(self, inbox: Inbox, client: Client | None, clock: Clock) -> None:
        self._inbox = inbox
        self._client = client
        self._clock = clock

    async def receive(self, advance: Advance, now: datetime) -> None:
        """Put every direct message of `advance` into the inbox that is not there yet."""
        if not advance.direct:
            return
        signals = await self._signals({message.notification.message_id for message in advance.direct})
        for message in advance.direct:
            known = signals.get(message.notification.message_id, _Signalled(UNKNOWN_SENDER, now))
            await self._receive(advance, message, known.sender, min(known.at, now))

    async def _receive(self, advance: Advance, message: DirectMessage, sender: str, received_at: datetime) -> None:
        source, message_id = message.source(), message.notification.message_id
        log = _log.bind(case_id=advance.case_id, kind=message.message, message_id=message_id)
        if message.message in INBOX_ONLY:
            if await self._inbox.get(source, message_id) is None:
                log.warning("direct signal refused", code="content-not-in-inbox")
            return
        if source not in MESSAGE_SENDERS[message.message]:
            log.warning("direct signal refused", code="wrong-sender")
            return
        try:
            body = registry.family_of(advance.case_id).read(message.content())
        except ValidationError:
            log.warning("direct signal refused", code="malformed-message")
            return
        incoming = Incoming(
            source=source,
            message_id=message_id,
            case_id=advance.case_id,
            programme=None,
            body=body,
            received_at=received_at,
            sender=sender,
        )
        try:
            await self._inbox.receive(incoming)
        except MessageContentDiffers:
            # Also where the id was another case's: people send the example of the UI as it stands.
            log.error("direct signal refused", code="message-content-differs", alarm=True)  # noqa: TRY400  its place says nothing

    async def _signals(self, message_ids: Iterable[str]) -> dict[str, _Signalled]:
        """Each message's first signal, as far as the server knows it."""
        if self._client is None:
            return {}
        wanted, found, looked_at = set(message_ids), dict[str, _Signalled](), 0
        info = activity.info()
        handle = self._client.get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
        async for event in handle.fetch_history_events():
            looked_at += 1
            if looked_at > HISTORY_MAX:
                break
            if event.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                continue
            signal = event.workflow_execution_signaled_event_attributes
            data = b"".join(payload.data for payload in signal.input.payloads)
            at = self._clock.now(event.event_time.ToDatetime(UTC))
            for message_id in wanted:
                if f'"{message_id}"'.encode() in data:
                    found.setdefault(message_id, _Signalled(_identity(signal.identity), at))
        return found


def _identity(identity: str) -> str:
    """The identity as it may be recorded: client-supplied, so bounded and of plain characters."""
    return "temporal:" + (re.sub(r"[^A-Za-z0-9._@:-]", "-", identity)[:60] or "unknown")
