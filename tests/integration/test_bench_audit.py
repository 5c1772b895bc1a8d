"""`passage bench audit`, very short: every part is measured in one run, and reported as a ratio with its parts."""

import pytest

from bench.audit import measure


@pytest.mark.slow  # six parts on a server of its own, with fsync: some fifteen seconds
@pytest.mark.timeout(180)
async def test_every_part_is_measured_in_one_run() -> None:
    found = await measure(cases=40, pairs=1, seconds=0.3)
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
