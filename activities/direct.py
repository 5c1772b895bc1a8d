"""Direct signals: what a partner's service signalled is written to the inbox first, with its proof (decisions 4, 17).

Whoever reaches Temporal may signal. So a signal is taken only with a signature of the partner whose word it is, made
over what it says, its id and its case; an embedded stack alone takes it without. Officers, governments and Passage
itself never speak by a direct signal. A message is received when the server had its signal, however much later a
worker comes to see it.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog
from pydantic import ValidationError
from temporalio import activity
from temporalio.client import Client

from activities import signal_events
from activities.contracts import (
    GATEWAY_ONLY,
    INBOX_ONLY,
    MESSAGE_SENDERS,
    Advance,
    DirectMessage,
    RefusedSignal,
)
from activities.signal_events import Received
from cases.clock import Clock
from cases.inbound.senders import Senders, Signature
from cases.inbound.webhooks import SignatureRefused
from domain import registry
from domain.kernel.ids import CaseId, Code, scoped_id
from eventstore.format.envelope import canonical
from eventstore.inbox import Inbox, Incoming, MessageContentDiffers, UnknownStream
from eventstore.operations import Refusal

_log = structlog.get_logger()

ROUTE: Final = "temporal-signal"
"""Under which a refused signal stands among the refusals."""
SCOPED_ID_MAX: Final = 128

RecordRefusal = Callable[[Refusal], Awaitable[None]]
"""Raises `StoreUnavailable` if it is not recorded."""
KeptId = Callable[[str, str], str]
"""Sender and given id to the id in the record, where the gateway keeps none in clear (`gateway/routes/messages.py`)."""


class SignalRefused(Exception):
    """Nothing follows from this signal. `code` is shown to whoever sent it, in the case's details."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code = code


def signed_body(case_id: CaseId, message: DirectMessage) -> bytes:
    """What the signature of a direct signal covers: the message as it would be posted, as canonical JSON."""
    return canonical({"case": case_id, **message.said()})


@dataclass(frozen=True, slots=True)
class DirectSignals:
    """Writes direct signals to the inbox; what cannot be a message is refused, on record, and goes nowhere."""

    inbox: Inbox
    client: Client | None
    clock: Clock
    senders: Senders
    record_refusal: RecordRefusal
    kept_id: KeptId

    async def receive(self, advance: Advance, now: datetime) -> tuple[RefusedSignal, ...]:
        """Put every direct message of `advance` into the inbox that is not there yet; those that are refused."""
        if not advance.direct:
            return ()
        known = {each.message: each.at for each in await self._of_this_run(advance.case_id)}
        seen_at = activity.info().started_time
        came = (Received(message, known.get(message, seen_at)) for message in advance.direct)
        return await self._receive_all(advance.case_id, came, now)

    async def receive_waiting(self, case_id: CaseId, now: datetime) -> None:
        """Put into the inbox what this run was signalled and was not handed yet.

        For before a limit is met: the signal may have come while the activity waited to be tried again. The workflow
        hands the same over later, and learns then what was refused.
        """
        for each in await self._of_this_run(case_id):
            try:
                await self._receive(case_id, each, now)
            except SignalRefused:
                continue

    async def receive_lost(self, case_id: CaseId, now: datetime) -> tuple[RefusedSignal, ...]:
        """Put into the inbox what earlier runs were signalled and never handed over; those that are refused."""
        if self.client is None:
            return ()
        lost = await signal_events.of_ended_runs(self.client, case_id, _own_run())
        return await self._receive_all(case_id, lost, now)

    async def _of_this_run(self, case_id: CaseId) -> tuple[Received, ...]:
        return () if self.client is None else await signal_events.of_run(self.client, case_id, _own_run())

    async def _receive_all(self, case_id: CaseId, came: Iterable[Received], now: datetime) -> tuple[RefusedSignal, ...]:
        refused: list[RefusedSignal] = []
        for each in came:
            try:
                await self._receive(case_id, each, now)
            except SignalRefused as refusal:
                refused.append(await self._refuse(case_id, each.message, refusal.code))
        return tuple(refused)

    async def _refuse(self, case_id: CaseId, message: DirectMessage, code: Code) -> RefusedSignal:
        source, message_id = message.source(), message.notification.message_id
        alarm = code == "message-content-differs"
        log = _log.error if alarm else _log.warning
        log("direct signal refused", case_id=case_id, kind=message.message, code=code, alarm=alarm)
        partner = source if source in registry.senders() else ""
        await self.record_refusal(Refusal(partner=partner, route=ROUTE, code=code, sender="", message_id=message_id))
        return RefusedSignal(message=message.message, message_id=message_id, code=code)

    async def _receive(self, case_id: CaseId, each: Received, now: datetime) -> None:
        """Raises `SignalRefused`."""
        message, source = each.message, each.message.source()
        if message.message in GATEWAY_ONLY:
            raise SignalRefused("not-by-signal")
        if message.message in INBOX_ONLY:
            given = message.notification.message_id
            if not (await self.inbox.get(source, self.kept_id(source, given)) or await self.inbox.get(source, given)):
                raise SignalRefused("content-not-in-inbox")
            return
        if source not in MESSAGE_SENDERS[message.message]:
            raise SignalRefused("wrong-sender")
        incoming = self._incoming(case_id, each, now)
        try:
            await self.inbox.receive(incoming)
        except MessageContentDiffers:
            raise SignalRefused("message-content-differs") from None
        except UnknownStream:
            raise SignalRefused("unknown-case") from None

    def _incoming(self, case_id: CaseId, each: Received, now: datetime) -> Incoming:
        message, notification = each.message, each.message.notification
        message_id = scoped_id(case_id, notification.message_id)
        signed = Signature(notification.signed_at, notification.signature_header())
        try:
            body = registry.family_of(case_id).read(message.content())
            proof = self.senders.prove(
                message.source(),
                notification.message_id,
                signed,
                signed_body(case_id, message),
                each.at.astimezone(UTC),
            )
        except ValidationError:
            raise SignalRefused("malformed-message") from None
        except SignatureRefused as refused:
            raise SignalRefused(f"signature-{refused.fault}") from None
        if len(message_id) > SCOPED_ID_MAX:
            raise SignalRefused("id-too-long")
        return Incoming(
            source=message.source(),
            message_id=message_id,
            case_id=case_id,
            programme=None,
            body=body,
            received_at=min(self.clock.now(each.at), now),
            proof=proof,
        )


def _own_run() -> str:
    return activity.info().workflow_run_id or ""
