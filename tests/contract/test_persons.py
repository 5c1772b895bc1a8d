"""The same person and the same supporter, found by keyed hashes, whatever the order of appends."""

import asyncio
from typing import Any

import pytest

from domain.humanitarian_parole.stages.passport import PassportChanged
from domain.kernel.events import CaseClosed
from eventstore.conflicts import PersonConflict
from eventstore.format.lookups import Lookups
from eventstore.port import Appended, Decides, EventStore, ReadAt
from eventstore.world import SupporterKeys, WorldQuery, WorldRead
from tests.support.filings import (
    MONTH,
    NOON,
    PROGRAMME,
    Writer,
    application,
    file_case,
    new_case_id,
    open_programme,
    receive_filing,
    summary,
)

LOOKUPS = Lookups(b"p" * 32)
ANA = LOOKUPS.persons(["passport:151234567", "name:ana maria rojas perez:1990-05-14"])
OTHER_PASSPORT = LOOKUPS.persons(["passport:999"])


async def world(store: EventStore, case_id: str, keys: tuple[bytes, ...] = (), **asked: Any) -> WorldRead:
    query = WorldQuery(programme=PROGRAMME, case_id=case_id, month=MONTH, person_keys=keys, **asked)
    return await store.read_world(query)


async def file_with(store: EventStore, number: int, case_id: str, **changed: Any) -> Writer:
    return await file_case(store, case_id, decides=Decides(number, "accepted"), persons=ANA, **changed)


async def close(writer: Writer) -> Appended:
    closed = summary(writer.stream, stage="closed", waiting_on=None, outcome="withdrawn", closed=True)
    return await writer.append(CaseClosed(at=NOON, outcome="withdrawn"), summary=closed)


async def test_a_later_filing_finds_the_open_case_of_the_same_person(store: EventStore) -> None:
    first, second = new_case_id(), new_case_id()
    number = (await receive_filing(store.inbox, first)).number
    await receive_filing(store.inbox, second)
    writer = await file_with(store, number, first)
    assert (await world(store, second, ANA[1:])).same_person == (first,)
    assert (await world(store, first, ANA)).same_person == ()
    await close(writer)
    assert (await world(store, second, ANA)).same_person == ()


async def test_an_earlier_filing_that_is_not_decided_is_waited_for(store: EventStore) -> None:
    first, second = new_case_id(), new_case_id()
    number = (await receive_filing(store.inbox, first, person_keys=ANA)).number
    await receive_filing(store.inbox, second, person_keys=ANA)
    assert (await world(store, second, ANA)).earlier_filing_pending
    assert not (await world(store, first, ANA)).earlier_filing_pending
    await file_with(store, number, first)
    assert not (await world(store, second, ANA)).earlier_filing_pending


async def test_of_two_filings_of_one_person_at_once_one_must_look_again(store: EventStore) -> None:
    ids = [new_case_id() for _ in range(2)]
    numbers = [(await receive_filing(store.inbox, case_id)).number for case_id in ids]
    read = ReadAt(person_versions=(await world(store, ids[0], ANA)).person_versions)
    assert dict(read.person_versions) == dict.fromkeys(ANA, 0)
    results = await asyncio.gather(
        *(file_with(store, number, case_id, read_at=read) for number, case_id in zip(numbers, ids, strict=True)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, PersonConflict) for each in results) == 1
    lost = next(case_id for case_id, each in zip(ids, results, strict=True) if isinstance(each, PersonConflict))
    won = next(case_id for case_id in ids if case_id != lost)
    assert (await world(store, lost, ANA)).same_person == (won,)


async def test_a_closing_case_makes_who_read_it_look_again(store: EventStore) -> None:
    first, second = new_case_id(), new_case_id()
    numbers = [(await receive_filing(store.inbox, case_id)).number for case_id in (first, second)]
    writer = await file_with(store, numbers[0], first)
    read = ReadAt(person_versions=(await world(store, second, ANA)).person_versions)
    await close(writer)
    with pytest.raises(PersonConflict):
        await file_with(store, numbers[1], second, read_at=read)


async def test_a_changed_passport_is_found_too(store: EventStore) -> None:
    first, second = new_case_id(), new_case_id()
    number = (await receive_filing(store.inbox, first)).number
    await receive_filing(store.inbox, second)
    writer = await file_with(store, number, first)
    changed = PassportChanged(at=NOON, passport=application("999").beneficiary.passport)
    await writer.append(changed, persons=OTHER_PASSPORT)
    assert (await world(store, second, OTHER_PASSPORT)).same_person == (first,)
    assert (await world(store, second, ANA)).same_person == (first,)


async def test_a_principal_is_open_until_closed(store: EventStore) -> None:
    principal, dependent = await file_case(store), new_case_id()
    assert (await world(store, dependent, principal=principal.stream)).principal_open
    await close(principal)
    assert not (await world(store, dependent, principal=principal.stream)).principal_open
    assert not (await world(store, dependent, principal=new_case_id())).principal_open


async def test_a_supporters_earlier_cases_count_open_or_closed_current_or_former(store: EventStore) -> None:
    luis = LOOKUPS.supporter("luis", tax_id="1", phone="2", address="3")
    maria = LOOKUPS.supporter("maria", tax_id="9", phone="8", address="7")
    writers = [await file_case(store, supporter=luis) for _ in range(3)]
    await close(writers[0])
    await writers[1].append(
        CaseClosed(at=NOON, outcome="withdrawn"), supporter=maria, summary=summary(writers[1].stream)
    )
    late = await file_case(store, supporter=luis)
    assert (await world(store, late.stream, supporter=luis)).earlier_supporter_cases == 3
    assert (await world(store, writers[1].stream, supporter=luis)).earlier_supporter_cases == 1
    assert (await world(store, late.stream, supporter=maria)).earlier_supporter_cases == 1


@pytest.mark.parametrize(
    ("details", "shared"),
    [
        ({"tax_id": "1"}, ("tax_id",)),
        ({"phone": "2", "address": "3"}, ("phone", "address")),
        ({"tax_id": "other", "phone": ""}, ()),
    ],
)
async def test_details_of_a_different_supporter_are_told_and_only_to_later_cases(
    store: EventStore, details: dict[str, str], shared: tuple[str, ...]
) -> None:
    luis = LOOKUPS.supporter("luis", tax_id="1", phone="2", address="3")
    somebody: SupporterKeys = LOOKUPS.supporter("somebody", **details)
    first = await file_case(store, supporter=luis)
    later = await file_case(store, supporter=somebody)
    assert (await world(store, later.stream, supporter=somebody)).shared_details == shared
    assert (await world(store, first.stream, supporter=luis)).shared_details == ()


async def test_an_unused_world_is_empty(store: EventStore) -> None:
    await open_programme(store)
    read = await world(store, new_case_id())
    assert (read.programme_version, read.place, read.same_person, read.person_versions) == (1, "free", (), {})
