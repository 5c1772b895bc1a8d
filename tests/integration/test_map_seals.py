"""Map seals: built from the leaves beside the sealing, and taken at the size that the log has then."""

import asyncio

import asyncpg
import pytest

from audit.log.sealer import Sealing, opened_sealer
from audit.log.sealing import Sealer
from audit.log.tables import map_entries
from tests.support.filed import day
from tests.support.sealed_log import ORIGIN, SealedLog


async def test_a_map_is_taken_though_the_log_has_grown_since(log: SealedLog) -> None:
    case_id = await log.file()
    await log.seal()
    header = await log.sealer.build_map(await log.sealer.size())
    await log.withdraw(case_id)
    await log.seal()
    assert await log.sealer.take_map(header) == 5
    assert log.sealer.unmapped  # of the two events that it does not show
    await log.sealer.sign()
    assert header.log_size == 3
    assert await log.codes(maps=None) == set()


async def test_a_map_of_an_idle_log_is_the_last(log: SealedLog) -> None:
    await log.file()
    await log.seal_map()
    assert not log.sealer.unmapped
    async with opened_sealer(log.database_url, log.keys) as again:
        assert await again.size() == 4
        assert not again.unmapped


async def test_a_sealer_that_is_overtaken_takes_its_map_all_the_same(log: SealedLog) -> None:
    await log.file()
    await log.seal()
    async with opened_sealer(log.database_url, log.keys, ORIGIN) as slow:
        header = await slow.build_map(await slow.size())
        for number in range(3):
            await log.withdraw(await log.file(), day(1 + number))
            await log.seal()
        assert await slow.take_map(header) == 15
        await slow.sign()
    assert await log.codes(maps=None) == set()


async def test_events_are_sealed_while_a_map_is_built(log: SealedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A map of millions of streams takes a minute; nothing waits for it."""
    begun, may_end = asyncio.Event(), asyncio.Event()
    build = Sealer.build_map

    async def slowly(sealer: Sealer, size: int) -> object:
        begun.set()
        await may_end.wait()
        return await build(sealer, size)

    monkeypatch.setattr(Sealer, "build_map", slowly)
    await log.file()
    stopped = asyncio.Event()
    sealing = asyncio.create_task(Sealing(log.sealer, 0.01, 0.01).run(stopped))
    async with asyncio.timeout(30):
        await begun.wait()
        await log.file()
        while await log.value("SELECT count(*) FROM passage.unsealed"):  # noqa: ASYNC110  the sealer ends it
            await asyncio.sleep(0.01)
        may_end.set()
        while not await log.value("SELECT count(*) FROM passage.map_seal"):  # noqa: ASYNC110  the sealer ends it
            await asyncio.sleep(0.01)
    stopped.set()
    await sealing
    assert await log.codes(maps=None) == set()


async def test_a_function_of_the_database_says_nothing_of_a_map(log: SealedLog) -> None:
    """Whoever has the server may define what he likes."""
    case_id = await log.file()
    await log.seal()
    await log.attack(
        "CREATE FUNCTION passage.map_entries(bigint) RETURNS SETOF passage.leaf LANGUAGE sql AS "
        "'SELECT * FROM passage.leaf LIMIT 1'"
    )
    connection = await asyncpg.connect(log.database_url)
    async with connection.transaction():
        found = [(entry.stream, entry.version) async for entry in map_entries(connection, 3)]
    await connection.close()
    assert found == [(case_id, 2), ("venezuela-air", 1)]
