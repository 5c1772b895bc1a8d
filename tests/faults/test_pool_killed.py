"""Eight processes claim quantities of one pool for four programmes, and some are killed: exactly the cap is given."""

import asyncio
import sys
from pathlib import Path

import asyncpg

from eventstore.keys import DirectoryKeyStore
from eventstore.places import Pool
from eventstore.postgres.store import PostgresStore
from tests.support.pools import file_in, open_programmes

PROGRAMMES = ("ven", "cub", "hti", "nic")
PLACES, CASES, PROCESSES, KILLED = 200, 480, 8, 4
MOST, SINGLES = 5, 20
"""Places that a case wants at most; the last cases of each process want one, so that nothing is left over."""
ROOT = Path(__file__).parents[2]
HELD = "SELECT coalesce(sum(place_quantity), 0) FROM passage.case_head"
HOLDERS = "SELECT count(*) FROM passage.case_head WHERE place_quantity > 0"
SHARING = "SELECT count(DISTINCT programme) FROM passage.case_head WHERE place_quantity > 1"
COUNTED = "SELECT coalesce(sum(taken), 0) FROM passage.place_counter WHERE period = 'total'"


async def claimer(url: str, keys: Path, cases: Path) -> asyncio.subprocess.Process:
    module = "tests.support.pool_claimer"
    return await asyncio.create_subprocess_exec(sys.executable, "-m", module, url, str(keys), str(cases), cwd=ROOT)


async def test_exactly_the_cap_whoever_is_killed(database_url: str, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    store = await PostgresStore.connect(database_url, DirectoryKeyStore(keys), connections=8)
    await open_programmes(store, Pool("chnv", PLACES, "month"), *PROGRAMMES)
    filed = await asyncio.gather(*(file_in(store, PROGRAMMES[number // PROCESSES % 4]) for number in range(CASES)))
    await store.close()
    lists = [tmp_path / f"cases-{number}" for number in range(PROCESSES)]
    for number, path in enumerate(lists):
        cases = filed[number::PROCESSES]
        wanted = [1 + index % MOST if index < len(cases) - SINGLES else 1 for index in range(len(cases))]
        path.write_text("\n".join(f"{each.name} {each.programme} {n}" for each, n in zip(cases, wanted, strict=True)))

    connection = await asyncpg.connect(database_url)
    running = [await claimer(database_url, keys, each) for each in lists]
    while await connection.fetchval(HELD) < PLACES // 10:  # noqa: ASYNC110  another process changes it
        await asyncio.sleep(0.01)
    for each in running[:KILLED]:
        each.kill()
        await each.wait()
    running[:KILLED] = [await claimer(database_url, keys, each) for each in lists[:KILLED]]
    assert [await each.wait() for each in running] == [0] * PROCESSES

    assert await connection.fetchval(HELD) == PLACES
    assert await connection.fetchval(COUNTED) == PLACES
    told = await connection.fetchval("SELECT count(*) FROM passage.events WHERE type = 'Waitlisted'")
    assert told == await connection.fetchval(HOLDERS)  # none came twice, none without its places
    assert await connection.fetchval(SHARING) == len(PROGRAMMES)
    await connection.close()
