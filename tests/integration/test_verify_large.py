"""A log of some size: made in memory, sealed, and verified in memory that does not grow with it."""

import tracemalloc
from pathlib import Path

import pytest

from audit.log.log_key import FileLogKey
from audit.log.sealer import opened_sealer
from audit.verify.faults import Fault
from audit.verify.record import Scope, Verified, verify
from bench.made_log import make_log
from eventstore.postgres.migrate import migrate
from tests.support.sealed_log import ORIGIN


async def verified(database_url: str, keys: Path, cases: int) -> tuple[Verified, int]:
    """What a verification of so many cases says, and the most memory that Python held for it."""
    events = await make_log(database_url, cases)
    async with opened_sealer(database_url, keys, ORIGIN) as sealer:
        while await sealer.seal():
            pass
        await sealer.seal_map()
        await sealer.sign()
    faults: list[Fault] = []
    tracemalloc.start()
    try:
        found = await verify(database_url, Scope(verifier=FileLogKey(keys).verifier), faults.append)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert faults == []
    assert found.events == events
    return found, peak


@pytest.mark.timeout(240)
@pytest.mark.slow
async def test_memory_does_not_grow_with_the_log(database_url: str, empty_database_url: str, tmp_path: Path) -> None:
    """Three times the events, and not a tenth more memory; both are beyond every buffer there is."""
    await migrate(empty_database_url)
    small, of_small = await verified(database_url, tmp_path / "small", 1_500)
    large, of_large = await verified(empty_database_url, tmp_path / "large", 4_500)
    assert large.events > 2.9 * small.events
    assert of_large < 1.1 * of_small
