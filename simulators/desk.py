"""What happens when a partner is called: the request is taken once, and an answer goes on its way."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from weakref import WeakValueDictionary

from domain.kernel.ids import Code, case_id_from_entropy, prefix_of
from simulators.journal import Journal, Promise, Receipt
from simulators.messages import PartnerMessage, Scheduler
from simulators.scripts import SILENT, Fault, PartnerScript

OVERSIZED_BYTES: Final = 128 * 1024
"""Twice what Passage reads of a receipt."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a partner, as far as the partners' behaviour depends on it."""

    partner: Code
    request_id: str
    case_id: str
    passport_number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the partner says at once over HTTP."""

    status: int
    body: bytes
    retry_after_s: int | None = None


class PartnerDesk:
    """All partners' front desk. `now` gives domain time."""

    def __init__(self, journal: Journal, scheduler: Scheduler, now: Callable[[], datetime]) -> None:
        self._journal = journal
        self._scheduler = scheduler
        self._now = now
        self._taking: WeakValueDictionary[tuple[Code, str], asyncio.Lock] = WeakValueDictionary()

    async def take(self, call: Call) -> Reply:
        """Take `call` as the partner's behaviour towards its case says; the same request again changes nothing."""
        script = self._journal.script(call.partner, call.case_id, call.passport_number) or SILENT
        fault = script.fault(self._journal.count_call(call.partner, call.case_id))
        if fault == "unavailable":
            return _problem(503, "unavailable")
        if fault == "busy":
            return _problem(429, "busy", script.faults.retry_after_s)
        if fault == "forgotten":
            return Reply(202, _receipt_body(call.request_id, Receipt(call.case_id, self._now()), fault))
        key = (call.partner, call.request_id)
        async with self._taking.setdefault(key, asyncio.Lock()):
            receipt, first = await self._take_once(call, script)
        if receipt.case_id != call.case_id:
            return _problem(422, "request-id-of-another-case")
        if first and script.faults.slow_s:
            await asyncio.sleep(script.faults.slow_s)
        return Reply(202, _receipt_body(call.request_id, receipt, fault))

    def status(self, partner: Code, request_id: str) -> Reply:
        """What became of a request: unknown, pending, or its answer again under the same id."""
        receipt = self._journal.receipt(partner, request_id)
        if receipt is None:
            return _problem(404, "unknown-request")
        said: dict[str, Any] = {"request_id": request_id, "case_id": receipt.case_id, "state": "pending"}
        promise = self._journal.promise(partner, request_id)
        if promise is not None and promise.due_at <= self._now():
            said |= {"state": "answered", "message_id": promise.message_id, "answer": json.loads(promise.body)}
        return Reply(200, json.dumps(said).encode())

    async def _take_once(self, call: Call, script: PartnerScript) -> tuple[Receipt, bool]:
        known = self._journal.receipt(call.partner, call.request_id)
        if known:
            return known, False
        receipt = Receipt(call.case_id, self._now())
        # Answers before the receipt: a crash between the two leads to a repeated call and the same message ids again,
        # the other way round it would lose the answers.
        due_at = receipt.accepted_at if script.faults.early else receipt.accepted_at + script.after
        for answer in self._answers(call, script):
            await self._scheduler.deliver(due_at, answer)
        right = _right_answer(call, script)
        if right is not None:
            promise = Promise(due_at, right.message_id, json.dumps(right.body()))
            self._journal.note_promise(call.partner, call.request_id, promise)
        self._journal.note_receipt(call.partner, call.request_id, receipt)
        return receipt, True

    def _answers(self, call: Call, script: PartnerScript) -> list[PartnerMessage]:
        right = _right_answer(call, script)
        if right is None or script.faults.lost:
            return []
        answers = [right, right] if script.faults.twice else [right]
        if script.faults.wrong_case:
            another = self._journal.another_case(call.case_id) or _case_that_nobody_filed(call.case_id)
            answers.insert(0, replace(right, message_id=f"{call.request_id}:wrong-case", case_id=another))
        return answers


def _right_answer(call: Call, script: PartnerScript) -> PartnerMessage | None:
    answer = script.answer_to(call.request_id)
    return None if answer is None else PartnerMessage(call.partner, f"{call.request_id}:answer", call.case_id, answer)


def _receipt_body(request_id: str, receipt: Receipt, fault: Fault | None) -> bytes:
    said = {
        "request_id": f"{request_id}:other" if fault == "misdirected" else request_id,
        "accepted_at": receipt.accepted_at.isoformat(),
    }
    if fault == "oversized":
        said["remarks"] = "x" * OVERSIZED_BYTES
    body = json.dumps(said).encode()
    return body[: len(body) // 2] if fault == "malformed" else body


def _problem(status: int, code: str, retry_after_s: int | None = None) -> Reply:
    return Reply(status, json.dumps({"code": code}).encode(), retry_after_s)


def _case_that_nobody_filed(case_id: str) -> str:
    """A case id in good order, always the same for one case."""
    return case_id_from_entropy(prefix_of(case_id), hashlib.sha256(case_id.encode()).digest())
