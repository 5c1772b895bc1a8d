"""`passage bench places`, short: more cases than places claim at once, and exactly the places are given out."""

import pytest

from bench.places import measure


@pytest.mark.timeout(120)
async def test_more_cases_than_places_get_exactly_the_places() -> None:
    found = await measure(pairs=1, places=60)
    assert (found.places, found.claimed, found.told, found.counted, found.held) == (60, 63, 60, 60, 60)
    assert len(found.rate.pairs) == 1
    assert found.exact
