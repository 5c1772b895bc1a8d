"""Whatever a scenario does to cases and to the programme, an auditor accuses nobody afterwards.

The scenarios chosen are those in which heads, places and lists move with more than their own case: pauses, months,
caps, terminations, adopted rules, waiting lists, holds. No sealer runs beside them, so nothing is accused of lateness.
"""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from audit.log.notes import Verifier
from audit.verify.faults import Fault
from audit.verify.record import Scope, verify
from eventstore.keys import DirectoryKeyStore
from eventstore.postgres.migrate import migrate
from simulation.format.loader import load_scenarios
from simulation.skipped import runner
from simulation.skipped.databases import Databases
from simulation.skipped.runner import run_scenarios
from simulation.skipped.staging import open_staging
from stack.postgres.server import EmbeddedPostgres

FOLDER = Path(__file__).parents[1] / "scenarios"
FILES = sorted(
    file
    for pattern in ("suspended-a*", "month-*", "terminated*", "rules-*", "waiting-list-*", "cap-*", "passport-changed*")
    for file in FOLDER.glob(f"{pattern}.yaml")
)
UNSIGNED = Scope(verifier=Verifier("none", bytes(32)), max_lag=timedelta.max)


async def boarding_checks(url: str) -> int:
    """How many answers to carriers are events."""
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM passage.boarding_check") == 0
        found: int = await connection.fetchval("SELECT count(*) FROM passage.events WHERE type = 'BoardingChecked'")
        return found
    finally:
        await connection.close()


@pytest.mark.slow
async def test_no_scenario_leaves_a_log_that_is_accused(
    postgres_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    urls: list[str] = []
    keys: dict[str, Path] = {}
    number = count()

    async def kept(_: Databases) -> str:
        """On the server of this test, which outlives the run."""
        url = await postgres_server.ensure_database(f"scenario_{next(number)}")
        urls.append(url)
        await migrate(url)
        return url

    async def staged(stack: Any, scenario: Any, url: str, folder: Any, _: Path) -> Any:
        """With keys that outlive the run, too."""
        keys[url] = tmp_path / f"keys-{len(keys)}"
        return await open_staging(stack, scenario, url, folder, keys[url])

    faults: list[Fault] = []
    checks = 0
    monkeypatch.setattr(Databases, "create", kept)
    monkeypatch.setattr(runner, "open_staging", staged)
    assert await run_scenarios(load_scenarios(FILES), lambda _: None)
    for url in urls:
        found = await verify(url, replace(UNSIGNED, keys=DirectoryKeyStore(keys[url])), faults.append)
        assert found.events > 0
        assert found.decided > 0
        assert found.undecided == 0
        checks += await boarding_checks(url)
    assert faults == []
    assert checks >= 5
    assert len(urls) == len(FILES) > 20
