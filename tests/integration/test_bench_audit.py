"""`passage bench audit` and `history`, very short: every part is measured in one run and reported with its parts."""

import asyncpg
import pytest

from bench.audit.measure import measure
from bench.history.log import make_history
from bench.history.measure import measure as measure_history


@pytest.mark.slow  # six parts on a server of its own, with fsync: some twelve seconds
@pytest.mark.timeout(180)
async def test_every_part_is_measured_in_one_run() -> None:
    # No time to measure in: one of everything, however busy the machine is.
    found = await measure(cases=40, pairs=1, seconds=0, growing=32)
    said = found.as_dict()
    names = [each["name"] for each in said["appends"]]
    assert names == [
        "append against INSERT", "append against eventsourcing", "append against its functions",
        "WAL of an event against a row",
    ]  # fmt: skip
    for each in (*said["appends"], *said["readings"]):
        assert len(each["ours"]) == 1
        assert min(each["ours"]) > 0
    assert said["events"] == 40 * 11 + 1
    assert [each["at_least"] for each in said["readings"]] == [100_000, 40_000, 60_000]
    assert 0 < max(said["lag"]["windows_s"]) < said["lag"]["published_s"]
    assert 0 < said["sealed"]["wal_bytes"] < 10_000
    lines = "\n".join(found.lines())
    assert all(name in lines for name in (*names, "replay", "longest seal lag", "peak memory"))


@pytest.mark.slow  # two logs on a server of its own, with fsync: some ten seconds
@pytest.mark.timeout(120)
async def test_the_latency_of_an_append_is_measured_against_that_in_a_short_log() -> None:
    found = await measure_history(many=4_400, few=440, pairs=2, appends=20)
    said = found.as_dict()
    assert said["events"] == [4_400, 440]
    assert len(said["p50_ms"]) == len(said["p99_ms"]) == 2
    assert min(min(each) for each in said["p50_ms"]) > 0
    assert said["ratio"] > 0
    assert said["met"] is (said["ratio"] <= 1.2)
    assert "4,400" in found.lines()[0]


async def test_a_made_history_is_as_long_as_asked_and_takes_appends(database_url: str) -> None:
    made = await make_history(database_url, 1_100)
    connection = await asyncpg.connect(database_url)
    try:
        assert len(set(made.cases)) == 100
        copied = 11 + 1  # the case that was copied, and the programme's opening
        assert await connection.fetchval("SELECT count(*) FROM passage.events") == 1_100 + copied
        lengths = await connection.fetchval(
            "SELECT count(DISTINCT length(header)) FROM passage.events WHERE version = 5"
        )
        assert lengths == 1
        heads = await connection.fetch(
            "SELECT version, hash FROM passage.case_head WHERE case_id = ANY($1)", made.cases
        )
        assert {(head["version"], head["hash"]) for head in heads} == {(made.version, made.hash)}
    finally:
        await connection.close()
