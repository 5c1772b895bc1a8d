"""The access log: who looked at what is in the log like everything else, in order and once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from domain.access import (
    AccessEvent,
    BoardingChecked,
    CaseExported,
    HistoryStored,
    PersonalDataViewed,
    access_stream,
)
from domain.kernel.ids import CommandId
from domain.kernel.proof import Proof
from eventstore.access import AccessRecord, NotedCheck
from eventstore.conflicts import CommandContentDiffers, IllegalAppend
from eventstore.format.histories import pack
from eventstore.port import EventStore
from eventstore.postgres.store import PostgresStore
from tests.support.filings import NOON, PROGRAMME, new_case_id, open_programme

CASE = new_case_id()
AUDITOR = Proof("operator", "a-1", "auditor")


@pytest.fixture
async def store(store: PostgresStore) -> PostgresStore:
    await open_programme(store)
    return store


VIEWED = PersonalDataViewed(at=NOON, case=CASE, because="complaint", case_version=3)


def record(command_id: str, *events: AccessEvent) -> AccessRecord:
    return AccessRecord(
        programme=PROGRAMME, command_id=CommandId(command_id), proof=AUDITOR, events=events or (VIEWED,)
    )


async def test_what_was_looked_at_is_read_back_in_order(store: EventStore) -> None:
    assert await store.access.record(record("view:1")) == 1
    exported = CaseExported(at=NOON, case=CASE, because="appeal", case_version=3, archive_sha256="ab" * 32)
    assert await store.access.record(record("export:1", exported, exported)) == 3
    stream = await store.load(access_stream(PROGRAMME))
    assert [each.event for each in stream.events] == [VIEWED, exported, exported]
    assert [(each.event_id, each.actor) for each in stream.events][2] == (f"access:{PROGRAMME}:3", "auditor:a-1")


async def test_the_same_command_again_gives_its_first_result_and_other_content_is_an_alarm(store: EventStore) -> None:
    await store.access.record(record("view:1"))
    await store.access.record(record("view:2"))
    assert await store.access.record(record("view:1")) == 1
    with pytest.raises(CommandContentDiffers):
        await store.access.record(record("view:1", VIEWED.model_copy(update={"because": "other"})))
    assert (await store.load(access_stream(PROGRAMME))).version == 2


async def test_many_at_once_lose_nothing_and_chain(store: EventStore) -> None:
    versions = await asyncio.gather(*(store.access.record(record(f"view:{number}")) for number in range(30)))
    assert sorted(versions) == list(range(1, 31))
    assert (await store.load(access_stream(PROGRAMME))).version == 30


async def test_an_empty_record_is_refused(store: EventStore) -> None:
    empty = AccessRecord(programme=PROGRAMME, command_id=CommandId("view:1"), proof=AUDITOR, events=())
    with pytest.raises(IllegalAppend):
        await store.access.record(empty)


async def test_a_history_is_kept_once_and_only_with_its_event(store: EventStore) -> None:
    packed = pack({"events": []})
    stored = HistoryStored(at=NOON, case=CASE, run="0199-a1", history_sha256=packed.sha256, history_bytes=packed.size)
    whole = replace(record("history:0199-a1", stored), history=packed.content)
    assert await store.access.kept(["0199-a1"]) == frozenset()
    assert [await store.access.record(whole) for _ in range(2)] == [1, 1]
    assert await store.access.kept(["0199-a1", "0199-a2"]) == {"0199-a1"}
    for halved in (
        record("history:0199-a2", stored),
        replace(record("view:1"), history=packed.content),
        replace(record("history:0199-a2", stored, VIEWED), history=packed.content),
    ):
        with pytest.raises(IllegalAppend):
            await store.access.record(halved)


def check(carrier: str = "key:carrier:1", answer: str = "ok") -> NotedCheck:
    return NotedCheck(programme=PROGRAMME, carrier=carrier, case_id=CASE, answer=answer, checked_at=NOON)


async def recorded(store: EventStore) -> int:
    return sum([number async for number in _each_batch(store)])


async def _each_batch(store: EventStore) -> AsyncIterator[int]:
    while number := await store.access.record_checks():
        yield number


async def test_a_noted_check_becomes_one_event_of_its_carrier(store: EventStore) -> None:
    for noted in (check(), check("none:carrier", "held"), check(answer="none")):
        await store.access.note_check(noted)
    assert await recorded(store) == 3
    assert await store.access.record_checks() == 0
    events = (await store.load(access_stream(PROGRAMME))).events
    assert [(each.actor, each.happened_at, each.event) for each in events] == [
        ("carrier", NOON, BoardingChecked(at=NOON, case=CASE, answer="ok")),
        ("carrier", NOON, BoardingChecked(at=NOON, case=CASE, answer="none")),
        ("carrier", NOON, BoardingChecked(at=NOON, case=CASE, answer="held")),
    ]


async def test_checks_are_recorded_once_however_many_do_it_while_more_come_in(store: EventStore) -> None:
    async def note(number: int) -> None:
        for _ in range(30):
            await store.access.note_check(check(f"key:carrier:{number}"))

    await asyncio.gather(*(note(number) for number in range(8)), *(recorded(store) for _ in range(4)))
    await recorded(store)
    events = (await store.load(access_stream(PROGRAMME))).events
    assert Counter(each.proof for each in events) == {f"key:carrier:{number}": 30 for number in range(8)}
    assert [each.version for each in events] == list(range(1, 241))
