"""The schedule of a run follows from its seed and nothing else."""

from collections import Counter

import pytest

from tests.chaos.schedule import Schedule, schedule

KINDS = {"flood": (1.0, 2.0), "fire": (0.0, 0.0), "frost": (3.0, 9.0)}
ONCE = {"famine": (60.0, 60.0)}


def drawn(seed: int, cases: int = 40, faults: int = 30) -> Schedule:
    return schedule(seed, cases, faults, kinds=KINDS, once=ONCE, lives=("long", "short"))


def test_the_same_seed_repeats_it() -> None:
    assert drawn(7) == drawn(7)


@pytest.mark.parametrize("seed", range(20))
def test_another_seed_gives_another_one(seed: int) -> None:
    assert drawn(seed).strikes != drawn(seed + 1).strikes
    assert drawn(seed).filings != drawn(seed + 1).filings


@pytest.mark.parametrize("seed", range(20))
def test_what_is_wanted_is_in_it(seed: int) -> None:
    plan = drawn(seed)
    names = Counter(strike.fault for strike in plan.strikes)
    assert (len(plan.filings), len(plan.strikes)) == (40, 30)
    assert names.pop("famine") == 1
    assert max(names.values()) - min(names.values()) <= 2  # one may have made room for the famine
    for strike in plan.strikes:
        shortest, longest = (KINDS | ONCE)[strike.fault]
        assert shortest <= strike.lasts_s <= longest
    assert Counter(filing.life for filing in plan.filings) == {"long": 20, "short": 20}
    assert len({filing.person for filing in plan.filings}) == 40


@pytest.mark.parametrize("seed", range(20))
def test_every_case_is_filed_before_the_faults_are_over(seed: int) -> None:
    plan = drawn(seed)
    assert all(0 <= filing.at_s < plan.lasts_s for filing in plan.filings)


def test_a_short_one_has_no_kind_twice_and_none_that_comes_once() -> None:
    assert sorted(strike.fault for strike in drawn(7, faults=3).strikes) == sorted(KINDS)
