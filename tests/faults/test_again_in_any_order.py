"""Every message delivered thrice and in any order gives one event or one recorded refusal."""

import asyncio
import random
from collections import Counter
from typing import Any

import asyncpg
import httpx2

from cases.inbound.wire import PartnerName
from process.backing import open_backing
from process.config import Settings
from simulation.demonstration.repeat import application
from tests.support import sender
from tests.support.applicants import NOBODY_ANSWERS, in_colombia
from tests.support.every_kind import Delivery, one_of_each_kind
from tests.support.invariants import reading, receipt_faults
from tests.support.many_programmes import programme_named
from tests.support.performance import open_programme, until_all_closed
from tests.support.whole_stack import WholeStack

CASES = 5
DELIVERIES = 3
AT_ONCE = 8


async def deliver(senders: sender.Senders, deliveries: list[Delivery]) -> Counter[tuple[str, str]]:
    """Each once, in this order but for what overtakes another on the way; who was refused, by sender and id.

    Refused by the gateway is only who was never asked about the case.
    """
    slots, refused = asyncio.Semaphore(AT_ONCE), Counter[tuple[str, str]]()

    async def one(by: PartnerName, message_id: str, body: dict[str, Any]) -> None:
        async with slots:
            response = await senders.post(by, message_id, body)
        if response.status_code == httpx2.codes.NOT_FOUND:
            assert response.json()["code"] == "unknown-case"
            refused[by, message_id] += 1
        else:
            assert response.status_code == httpx2.codes.ACCEPTED, response.text

    await asyncio.gather(*(one(*delivery) for delivery in deliveries))
    return refused


async def refusals_on_record(settings: Settings) -> Counter[str]:
    """How often each partner was refused because it was not asked, as the gateway keeps it."""
    database = await asyncpg.connect(settings.required_database_url)
    rows = await database.fetch("SELECT partner, times FROM passage.refusal WHERE code = 'case-not-asked'")
    await database.close()
    found = Counter[str]()
    for row in rows:
        found[row["partner"]] += row["times"]
    return found


async def test_every_message_thrice_and_in_any_order(stack: WholeStack, number: int) -> None:
    settings, programme, first = stack.settings, programme_named(number), 1000 * number
    shuffling = random.Random(number)  # noqa: S311  no secret
    async with sender.senders_of(settings, programme) as senders, open_backing(settings) as backing:
        await open_programme(backing, programme)
        await senders.script(range(first, first + CASES), NOBODY_ANSWERS)
        told: list[Delivery] = []
        for person in range(first, first + CASES):
            case_id = await senders.file_and_wait(application(person) if person % 2 else in_colombia(person))
            told += one_of_each_kind(case_id, person, senders.mark)
        deliveries = told * DELIVERIES
        shuffling.shuffle(deliveries)
        before = await refusals_on_record(settings)
        refused = await deliver(senders, deliveries)
        by, message_id, body = shuffling.choice([each for each in told if each[2]["message"] == "officer.decided"])
        altered = await senders.post(by, message_id, {**body, "decision": "deny"})
        await senders.command_programme("programme.terminated", parole_ends_on="2022-10-20")

    assert altered.status_code == httpx2.codes.CONFLICT
    await until_all_closed(settings, programme)
    async with reading(settings) as log:
        by_partner = Counter[str]()
        for (sender_name, _), times in refused.items():
            by_partner[sender_name] += times
        assert await refusals_on_record(settings) - before == by_partner
        assert await log.faults() == []
        assert list(receipt_faults(senders.ledger.receipts, log.inbox)) == []
        numbers = {(each.source, each.message_id): set[int]() for each in senders.ledger.receipts}
        for each in senders.ledger.receipts:
            numbers[each.source, each.message_id].add(each.number)
        assert all(len(found) == 1 for found in numbers.values())
        assert all((by, message_id) in numbers or refused[by, message_id] == DELIVERIES for by, message_id, _ in told)
        kept = Counter(row["stream"] for row in log.inbox if row["source"] != "passage")
        heard = Counter(body["case"] for by, message_id, body in told if (by, message_id) in numbers)
        assert all(kept[case_id] == 1 + times for case_id, times in heard.items())  # with its filing
