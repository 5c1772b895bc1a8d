"""Asks partners for the answers that never came.

A partner that took a request tells its answer once; where that message is lost, the case would wait for ever. So what
is overdue by its agreement is asked for, and the answer goes into the inbox under the id that the partner had given it:
if it came after all, it is the same message. It runs beside the workers, not in workflows: a case whose partners answer
in time costs nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from activities.failures import FAILURES, log_failure
from activities.partner_requests import PartnerRequests
from activities.partners.agreements import Agreements
from activities.partners.circuit import Partners
from activities.partners.errors import PartnerError, PartnerRefused, PartnerUnproven
from activities.partners.requests import AnswerGiven
from cases.clock import Clock
from domain import registry
from domain.kernel.ids import Code
from domain.kernel.messages import Message
from eventstore.inbox import Inbox, Incoming, MessageContentDiffers
from eventstore.operations import Refusal
from eventstore.partner_calls import Heard, Unanswered, UnansweredCalls

_log = structlog.get_logger()

ASKS_MAX: Final = 8
"""With pauses that double they span 127 times the first pause, four months where it is a day. Then a person asks."""
BATCH: Final = 20
"""Requests of one partner that one process asks for in a round: at 5 s each it ends before the second round is due, and
what a day's outage left, some 1,000, is asked for within the hour."""
PERIOD_S: Final = 60.0
"""From one round to the next: nothing here is urgent, and a round that finds nothing reads four empty ranges."""

ReadAnswer = Callable[[bytes, Code], Message]
"""The message in a body, checked as the gateway checks it. Raises `PartnerMalformed`."""
RecordRefusals = Callable[[Mapping[Refusal, int]], Awaitable[None]]
"""Counts each refusal so often. Raises `StoreUnavailable`."""
ROUTE: Final = "asked"
"""In place of a route of the gateway, in the record of refused answers."""


@dataclass(frozen=True, slots=True)
class AnswerPolling:
    """One process's part of asking for what is overdue; any number may run."""

    inbox: Inbox
    unanswered: UnansweredCalls
    partners: Partners
    requests: PartnerRequests
    agreements: Agreements
    clock: Clock
    read: ReadAnswer
    record_refusals: RecordRefusals

    async def run(self, period_s: float = PERIOD_S) -> None:
        """A round each period, until cancelled. One that fails is made again with the next."""
        while True:
            try:
                await self.round(datetime.now(UTC))
            except Exception as error:  # noqa: BLE001  the boundary: whatever it is, the next round is due
                log_failure("asking for answers failed", error)
            await asyncio.sleep(period_s)

    async def round(self, at: datetime) -> int:
        """Ask for what is overdue at `at`, the machine's time; how many requests were asked for.

        Raises:
            StoreUnavailable: the database cannot be reached; what was claimed has its turn again.
        """
        return sum(await asyncio.gather(*(self._ask_partner(partner, at) for partner in registry.partners())))

    async def _ask_partner(self, partner: Code, at: datetime) -> int:
        for asked in range(BATCH):
            pause = await self.partners.pause(partner)
            if pause is not None and pause.wait_s > 0:
                return asked
            # One at a time: a process that dies delays the asking that it had in hand, and no other.
            claimed = await self._claim(partner, at)
            if claimed is None:
                return asked
            await self._settle(partner, claimed)
        return BATCH

    async def _claim(self, partner: Code, at: datetime) -> Unanswered | None:
        agreed = self.agreements[partner]
        return await self.unanswered.claim(
            partner,
            accepted_before=accepted_before(self.clock, agreed.answers_within, at),
            again_after=self.clock.server_time(self.clock.now(at) + agreed.ask_again_after) - at,
            asks_max=ASKS_MAX,
        )

    async def _settle(self, partner: Code, each: Unanswered) -> None:
        heard = await self._ask(partner, each)
        await self.unanswered.note_heard(each.request_id, heard)
        about = {"partner": partner, "case_id": each.case_id, "request_id": each.request_id}
        _log.info("answer asked for", **about, asks=each.asks, heard=heard)
        if each.asks >= ASKS_MAX and heard != "answered":
            _tell_missing(partner, each)

    async def _ask(self, partner: Code, each: Unanswered) -> Heard:
        try:
            status = await self.partners.status(partner, each.request_id, each.case_id)
            if status == "pending":
                return "pending"
            if status == "unknown":
                await self.requests.send_anew(each.case_id, each.request_id)
                return "sent-again"
            await self._take(partner, each, status)
        except (PartnerError, MessageContentDiffers) as error:
            log_failure("asking for an answer failed", error, partner=partner, case_id=each.case_id)
            if isinstance(error, PartnerUnproven):
                refusal = Refusal(partner=partner, route=ROUTE, code=error.code, sender="", message_id="")
                await self.record_refusals({refusal: 1})
            return "refused" if isinstance(error, PartnerRefused) else "failed"
        return "answered"

    async def _take(self, partner: Code, each: Unanswered, given: AnswerGiven) -> None:
        """The answer becomes a message like any other; the relay notifies its case."""
        incoming = Incoming(
            source=partner,
            message_id=given.message_id,
            case_id=each.case_id,
            programme=None,
            body=self.read(given.body, partner),
            received_at=self.clock.now(datetime.now(UTC)),
            proof=given.proof,
        )
        receipt = await self.inbox.receive(incoming)
        if receipt.answer == "rejected":
            _tell_missing(partner, each)


def accepted_before(clock: Clock, answers_within: timedelta, at: datetime) -> datetime:
    """What was accepted before this moment, of the machine's time, is overdue at `at`."""
    return clock.server_time(clock.now(at) - answers_within)


def _tell_missing(partner: Code, each: Unanswered) -> None:
    code = "answer-missing"
    _log.error(
        FAILURES[code].meaning,
        code=code,
        alarm=FAILURES[code].alarm,
        partner=partner,
        case_id=each.case_id,
        request_id=each.request_id,
    )
