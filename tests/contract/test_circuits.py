"""When calls to a partner pause and go on: the same for all processes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from eventstore.keys import DirectoryKeyStore
from eventstore.partner_calls import Admitted, Circuits, CircuitTerms, Paused
from eventstore.postgres.store import PostgresStore

SHORT = timedelta(milliseconds=200)
TERMS = CircuitTerms(failures_max=3, pause_first=SHORT, pause_max=SHORT * 4, turn=timedelta(seconds=30))
BRIEF_TURN = CircuitTerms(failures_max=1, pause_first=SHORT, pause_max=SHORT, turn=SHORT)


class Processes:
    """Circuits as each of several processes sees them."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store

    def another(self, terms: CircuitTerms = TERMS) -> Circuits:
        return self._store.circuits(terms)


@pytest.fixture
async def processes(database_url: str, tmp_path: Path) -> AsyncIterator[Processes]:
    store = await PostgresStore.connect(database_url, DirectoryKeyStore(tmp_path / "keys"), connections=4)
    yield Processes(store)
    await store.close()


async def failed(circuits: Circuits, times: int) -> list[Paused | None]:
    return [await circuits.note_failed("vetting", probe=False) for _ in range(times)]


async def paused(circuits: Circuits) -> Paused:
    admitted = await circuits.admit("vetting")
    assert isinstance(admitted, Paused)
    return admitted


async def test_calls_go_out_while_fewer_fail_than_are_too_many(processes: Processes) -> None:
    circuits = processes.another()
    assert await failed(circuits, 2) == [None, None]
    assert await circuits.admit("vetting") == Admitted()
    assert await circuits.pause("vetting") is None


async def test_the_failure_that_is_one_too_many_begins_a_pause_and_it_alone(processes: Processes) -> None:
    circuits = processes.another()
    began = datetime.now(UTC)

    *before, pause = await failed(circuits, 3)

    assert before == [None, None]
    assert pause is not None
    assert abs(pause.since - began) < timedelta(seconds=5)
    assert 0 < pause.wait_s <= SHORT.total_seconds()
    assert (await paused(circuits)).until == pause.until
    assert await failed(circuits, 2) == [None, None]  # what was under way when the pause began
    assert (await paused(circuits)).until == pause.until


async def test_another_process_pauses_too_and_shows_it(processes: Processes) -> None:
    await failed(processes.another(), 3)
    other = processes.another()
    assert (await paused(other)).wait_s > 0
    assert await other.pause("vetting") is not None


async def test_one_partners_trouble_is_not_anothers(processes: Processes) -> None:
    circuits = processes.another()
    await failed(circuits, 3)
    assert await circuits.admit("entry_records") == Admitted()


async def test_a_call_that_is_taken_ends_the_count(processes: Processes) -> None:
    circuits = processes.another()
    await failed(circuits, 2)
    assert await circuits.note_taken("vetting") is False
    assert await failed(circuits, 2) == [None, None]


async def test_after_the_pause_one_call_of_all_goes_out(processes: Processes) -> None:
    await failed(processes.another(), 3)
    await asyncio.sleep(SHORT.total_seconds() * 1.2)

    admitted = await asyncio.gather(*(processes.another().admit("vetting") for _ in range(8)))

    assert admitted.count(Admitted(probe=True)) == 1
    assert sum(isinstance(each, Paused) for each in admitted) == 7


async def test_when_it_fails_the_pause_is_longer_and_bounded(processes: Processes) -> None:
    circuits = processes.another()
    await failed(circuits, 3)
    lengths = []
    for _ in range(4):
        await circuits.note_failed("vetting", probe=True)
        lengths.append((await paused(circuits)).wait_s)

    doubled = [SHORT.total_seconds() * factor for factor in (2, 4, 4, 4)]
    assert lengths == pytest.approx(doubled, abs=0.15)


async def test_when_it_is_taken_all_calls_go_out_and_the_count_begins_anew(processes: Processes) -> None:
    circuits = processes.another()
    await failed(circuits, 3)
    await asyncio.sleep(SHORT.total_seconds() * 1.2)
    assert await circuits.admit("vetting") == Admitted(probe=True)

    assert await circuits.note_taken("vetting") is True

    assert await circuits.admit("vetting") == Admitted()
    assert await processes.another().admit("vetting") == Admitted()
    assert await failed(circuits, 2) == [None, None]


async def test_a_caller_that_dies_at_its_turn_leaves_it_to_the_next(processes: Processes) -> None:
    circuits = processes.another(BRIEF_TURN)
    await failed(circuits, 1)
    for _ in range(2):
        await asyncio.sleep(SHORT.total_seconds() * 1.2)
        assert await circuits.admit("vetting") == Admitted(probe=True)
        assert isinstance(await circuits.admit("vetting"), Paused)


async def test_while_all_partners_answer_a_call_costs_no_round_trip(database_url: str, tmp_path: Path) -> None:
    store = await PostgresStore.connect(database_url, DirectoryKeyStore(tmp_path / "keys"), connections=2)
    circuits = store.circuits(TERMS)
    assert await circuits.admit("vetting") == Admitted()
    await store.close()

    assert await circuits.admit("vetting") == Admitted()
    assert await circuits.note_taken("vetting") is False


async def test_who_reads_may_look_and_change_nothing(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("SET ROLE passage_reader")
    assert await connection.fetch("SELECT * FROM passage.partner_circuit") == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("SELECT passage.note_failed_call('vetting', false, 1, '1 s', '1 s')")
    await connection.close()
