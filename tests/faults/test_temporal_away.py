"""Temporal is away while people write: every message is accepted at once, none is lost, and a case's order is kept."""

import asyncio
import time
from typing import Any

import pytest

from process.backing import open_backing
from simulation.demonstration.repeat import application
from tests.support.applicants import NOBODY_ANSWERS
from tests.support.every_kind import contents
from tests.support.invariants import reading, receipt_faults
from tests.support.many_programmes import programme_named
from tests.support.performance import open_programme, until_all_closed
from tests.support.sender import Senders, senders_of
from tests.support.whole_stack import WholeStack

CASES = 10
AWAY_S = 12.0
"""Longer than two notifications wait for an answer."""
PAUSE_S = 0.25
AT_ONCE_S = 2.0
"""How soon a message is accepted: the gateway writes a row, and asks Temporal for nothing."""

KINDS = ("border.irregular_crossing", "arrival.paroled", "evidence.submitted", "arrival.refused")
"""What a case has not come to yet: each is refused on record, in its turn."""


async def keeps_writing(senders: Senders, case_id: str, person: int, until: float) -> list[str]:
    """One message after the other, each accepted at once; their ids in the order in which they were sent."""
    sent: list[str] = []
    while time.monotonic() < until:
        message = KINDS[len(sent) % len(KINDS)]
        body: dict[str, Any] = {"case": case_id, "message": message, **contents(person).get(message, {})}
        sent.append(senders.new_id())
        began = time.monotonic()
        response = await senders.post("applicant" if message == "evidence.submitted" else "border", sent[-1], body)
        assert response.status_code == 202, response.text
        assert time.monotonic() - began < AT_ONCE_S
        await asyncio.sleep(PAUSE_S)
    return sent


@pytest.mark.slow
async def test_messages_are_taken_while_temporal_is_away(stack: WholeStack, number: int) -> None:
    settings, programme, first = stack.settings, programme_named(number), 1000 * number
    async with senders_of(settings, programme) as senders, open_backing(settings) as backing:
        await open_programme(backing, programme)
        persons = range(first, first + CASES)
        await senders.script(persons, NOBODY_ANSWERS)
        cases = [await senders.file_and_wait(application(person)) for person in persons]
        until = time.monotonic() + AWAY_S
        with stack.frozen("temporal"):
            writing = (keeps_writing(senders, case, person, until) for case, person in zip(cases, persons, strict=True))
            sent = dict(zip(cases, await asyncio.gather(*writing), strict=True))
        await senders.command_programme("programme.terminated", parole_ends_on="2022-10-20")

    await until_all_closed(settings, programme)
    async with reading(settings) as log:
        assert await log.faults() == []
        assert list(receipt_faults(senders.ledger.receipts, log.inbox)) == []
        told = {each.message_id: each.number for each in senders.ledger.receipts}
        for case_id, ids in sent.items():
            numbers = [told[message_id] for message_id in ids]
            kept = [row["number"] for row in log.inbox if row["stream"] == case_id]
            assert [number for number in kept if number in numbers] == numbers
