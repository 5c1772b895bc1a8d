"""Whatever a scenario does to cases and to the programme, an auditor accuses nobody afterwards.

The scenarios chosen are those in which heads, places and lists move with more than their own case: pauses, months,
caps, terminations, adopted rules, waiting lists, holds. No sealer runs beside them, so nothing is accused of lateness.
"""

from datetime import timedelta
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from audit.log.notes import Verifier
from audit.verify.faults import Fault
from audit.verify.record import Scope, verify
from eventstore.postgres.migrate import migrate
from simulation.format.loader import load_scenarios
from simulation.skipped.databases import Databases
from simulation.skipped.runner import run_scenarios
from stack.postgres.server import EmbeddedPostgres

FOLDER = Path(__file__).parents[1] / "scenarios"
FILES = sorted(
    file
    for pattern in (
        "four-programmes/*",
        "suspended-a*",
        "month-*",
        "terminated*",
        "rules-*",
        "waiting-list-*",
        "cap-*",
        "passport-changed*",
        "news-*",
        "retracted-*",
        "redress-*",
    )
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
    postgres_server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls: list[str] = []
    number = count()

    async def kept(_: Databases) -> str:
        """On the server of this test, which outlives the run."""
        url = await postgres_server.ensure_database(f"scenario_{next(number)}")
        urls.append(url)
        await migrate(url)
        return url

    faults: list[Fault] = []
    scenarios, answered = load_scenarios(FILES), 0
    asked = sum(item.deliver for each in scenarios for item in each.timeline if item.is_question)
    monkeypatch.setattr(Databases, "create", kept)
    assert await run_scenarios(scenarios, lambda _: None)
    for url in urls:
        found = await verify(url, UNSIGNED, faults.append)
        assert found.events > 0
        answered += await boarding_checks(url)
    assert faults == []
    assert answered == asked > 5
    assert len(urls) == len(FILES) > 20
