"""`passage bench governing`, short: a suspension stands, and afterwards no open case is left out."""

import pytest

from bench.governing import measure


@pytest.mark.timeout(120)
async def test_a_suspension_stands_and_every_case_is_notified() -> None:
    found = await measure(1200)
    figures = {figure.name: figure.value for figure in found.figures}
    assert figures["cases left out"] == 0
    assert figures["until no case can decide"] < figures["until 1,204 are notified"]
    assert figures["one look of the sweep (1,200)"] > 0
