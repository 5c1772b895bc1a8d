"""Attacks on what seals the log, on the whole log at once, and on its checkpoints: each is found, by its own code."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from audit.log.checkpoints import Checkpoint
from audit.log.log_key import FOLDER, make_log_key
from audit.log.maps import MapHeader
from audit.log.sealing import SealRefused
from audit.verify.faults import Code
from eventstore.format.envelope import machine_clock
from tests.support.filed import FILED_AT, day
from tests.support.sealed_log import ORIGIN, SealedLog, audited, case, opened_log, three_cases


@pytest.fixture
async def log(database_url: str, tmp_path: Path) -> AsyncIterator[SealedLog]:
    async with three_cases(database_url, tmp_path / "keys") as opened:
        yield opened


async def test_an_edited_tile(log: SealedLog) -> None:
    await log.attack("UPDATE passage.tile SET hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1)")
    assert await log.codes() == {Code.TILE_EDITED}


async def test_a_removed_tile(log: SealedLog) -> None:
    await log.attack("DELETE FROM passage.tile")
    assert await log.codes() == {Code.TILE_MISSING}


async def test_a_moved_leaf(log: SealedLog) -> None:
    await log.attack(
        "UPDATE passage.leaf SET leaf_index = 99 WHERE leaf_index = 0",
        "UPDATE passage.leaf SET leaf_index = 0 WHERE leaf_index = 1",
        "UPDATE passage.leaf SET leaf_index = 1 WHERE leaf_index = 99",
    )
    assert Code.LEAF_MOVED in await log.codes()


async def test_an_event_queued_twice(log: SealedLog) -> None:
    await log.attack(
        f"INSERT INTO passage.unsealed (stream, first_version, last_version) VALUES ('{await case(log, 0)}', 1, 2)"
    )
    assert await log.codes() == {Code.SEAL_QUEUE_EDITED}


async def test_a_checkpoint_forged_without_the_key(log: SealedLog, tmp_path: Path) -> None:
    root: bytes = await log.value("SELECT sha256('another log')")
    forged = await make_log_key(tmp_path / "another", ORIGIN).sign(Checkpoint(ORIGIN, 14, root).text)
    await log.attack(f"UPDATE passage.checkpoint SET note = '{forged}' WHERE size = 14")
    assert await log.codes() == {Code.CHECKPOINT_FORGED}


async def test_a_checkpoint_forged_with_the_key(log: SealedLog) -> None:
    root: bytes = await log.value("SELECT sha256('another log')")
    forged = await log.sealer.key.sign(Checkpoint(ORIGIN, 14, root, machine_clock()).text)
    await log.attack(f"UPDATE passage.checkpoint SET note = '{forged}' WHERE size = 14")
    assert await log.codes() == {Code.CHECKPOINT_DIFFERS}


async def test_a_checkpoint_of_another_size(log: SealedLog) -> None:
    await log.attack("UPDATE passage.checkpoint SET size = 13 WHERE size = 14")
    assert await log.codes() == {Code.CHECKPOINT_FORGED}


async def test_an_edited_map_seal(log: SealedLog) -> None:
    await log.attack(
        "UPDATE passage.map_seal SET "
        "header = replace(convert_from(header, 'UTF8'), '\"entries\":4', '\"entries\":3')::bytea"
    )
    assert await log.codes() == {Code.MAP_SEAL_EDITED}


async def test_a_map_seal_that_leaves_a_case_out(log: SealedLog) -> None:
    """Sealed and signed by the operator's own sealer: the leaves before it tell."""
    await log.seal()
    header = MapHeader(15, 3, await log.value("SELECT sha256('a map without the first case')"))
    await log.sealer.take_map(header)
    await log.sealer.sign()
    assert await log.codes() == {Code.MAP_SEAL_DIFFERS}


async def test_leaves_that_are_hidden_while_a_map_is_built(log: SealedLog) -> None:
    """Put back afterwards, nobody would see it: so the map is not built."""
    stream = await case(log, 2)
    hidden = f"FROM passage.leaf WHERE stream = '{stream}' AND version > 2"
    await log.attack(f"CREATE TABLE hidden AS SELECT * {hidden}", f"DELETE {hidden}")
    with pytest.raises(SealRefused, match="map-incomplete"):
        await log.sealer.build_map(15)
    await log.attack("INSERT INTO passage.leaf SELECT * FROM hidden", "DROP TABLE hidden")
    assert await log.codes() == set()


async def test_a_log_cut_behind_its_own_checkpoint(log: SealedLog) -> None:
    """The last case filed goes with every trace but the checkpoints."""
    stream = await log.file()
    await log.seal()
    await log.attack(
        f"DELETE FROM passage.events WHERE stream = '{stream}'",
        f"DELETE FROM passage.case_head WHERE case_id = '{stream}'",
        f"DELETE FROM passage.inbox WHERE stream = '{stream}'",
        f"DELETE FROM passage.leaf WHERE stream = '{stream}'",
        "UPDATE passage.log_size SET size = size - 2",
        "UPDATE passage.tile SET hashes = substr(hashes, 1, octet_length(hashes) - 64)",
    )
    assert await log.codes() == {Code.LOG_TRUNCATED}


async def copied(log: SealedLog, name: str) -> str:
    """A backup of the database, as a database of its own."""
    await log.store.close()
    await log.sealer.pool.close()
    url = log.database_url
    old = url.rsplit("/", 1)[1]
    connection = await asyncpg.connect(url.rsplit("/", 1)[0] + "/postgres")
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{old}"')
    finally:
        await connection.close()
    return url.rsplit("/", 1)[0] + f"/{name}"


async def test_a_restored_backup(log: SealedLog) -> None:
    backup = await copied(log, "restored")
    async with opened_log(log.database_url, log.keys) as went_on:
        await went_on.withdraw(await case(went_on, 0), day(1))
        await went_on.seal()
        kept = await went_on.checkpoint()
        assert await went_on.codes(kept) == set()
    assert (await audited(backup, log.keys)).codes == set()
    assert (await audited(backup, log.keys, kept)).codes == {Code.LOG_RESTORED}


async def test_a_fork(log: SealedLog) -> None:
    """A restored backup goes on, past the auditor's checkpoint, with the log's own key and nothing remembered."""
    backup = await copied(log, "forked")
    async with opened_log(log.database_url, log.keys) as went_on:
        await went_on.withdraw(await case(went_on, 0), day(1))
        await went_on.seal()
        kept = await went_on.checkpoint()
    (log.keys / FOLDER / "last-checkpoint").unlink()
    async with opened_log(backup, log.keys) as fork:
        fork.filed = 10
        for _ in range(2):
            await fork.file(FILED_AT)
        await fork.seal()
        assert await fork.codes() == set()
        assert await fork.codes(kept) == {Code.LOG_FORKED}
