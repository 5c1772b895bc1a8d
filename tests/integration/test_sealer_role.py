"""What the sealer's login can do, and what nobody can do to what is sealed."""

import asyncpg
import pytest

from tests.support.sealed_log import SealedLog

ONLY_THE_SEAL = [
    "UPDATE passage.events SET actor = 'x'",
    "DELETE FROM passage.leaf",
    "UPDATE passage.leaf SET hash = hash",
    "INSERT INTO passage.leaf (leaf_index, hash) VALUES (99, sha256(''))",
    "UPDATE passage.tile SET hashes = hashes",
    "DELETE FROM passage.unsealed",
    "UPDATE passage.log_size SET size = 0",
    "UPDATE passage.checkpoint SET note = ''",
    "UPDATE passage.case_head SET closed = true",
    "SELECT passage.claim_notifications(1)",
    "SELECT * FROM passage.events",
    "SELECT * FROM passage.person_key",
]


@pytest.mark.parametrize("change", ONLY_THE_SEAL)
async def test_a_sealer_writes_through_its_functions_and_reads_no_case(log: SealedLog, change: str) -> None:
    connection = await asyncpg.connect(log.database_url, server_settings={"role": "passage_sealer"})
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(change)
    await connection.close()


@pytest.mark.parametrize("table", ["leaf", "checkpoint", "map_seal", "tile"])
async def test_not_even_the_owner_deletes_what_is_sealed(log: SealedLog, table: str) -> None:
    connection = await asyncpg.connect(log.database_url)
    for role in ("passage_owner", "postgres"):
        await connection.execute(f"SET ROLE {role}")
        for change in (f"DELETE FROM passage.{table}", f"TRUNCATE passage.{table} CASCADE"):
            with pytest.raises(asyncpg.PostgresError, match="append-only"):
                await connection.execute(change)
    await connection.close()


async def test_a_tile_can_only_grow(log: SealedLog) -> None:
    await log.file()
    await log.seal()
    connection = await asyncpg.connect(log.database_url, server_settings={"role": "passage_sealer"})
    for hashes in (bytes(32), bytes(32 * 4), await connection.fetchval("SELECT hashes FROM passage.tile")):
        with pytest.raises(asyncpg.PostgresError, match="only grow"):
            await connection.execute("SELECT passage.put_tiles('{0}', '{0}', $1)", [hashes])
    await connection.close()
