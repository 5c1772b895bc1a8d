"""What a benchmark reports, and how its sides are watched."""

from collections import Counter
from pathlib import Path

import pytest

from bench.bill import actions, billed, events
from bench.cache import Cache
from bench.floor.bare_case import FRESH_RUN, PARTS
from bench.floor.measure import Floor
from bench.floor.sides import BareLook
from bench.places import Places
from bench.ratio import Ratio
from domain import registry


def floor(rates: tuple[float, float], cpu: tuple[float, float], of_events: int = 76, of_actions: int = 25) -> Floor:
    rate = Ratio("floor", "cases/s", (rates,), 0.9)
    return Floor(rate, (cpu,), of_events, of_actions, Counter())


@pytest.mark.parametrize(
    ("found", "met"),
    [
        (floor((9.0, 10.0), (0.13, 0.10)), True),
        (floor((8.9, 10.0), (0.13, 0.10)), False),
        (floor((9.0, 10.0), (0.131, 0.10)), False),
        (floor((9.0, 10.0), (0.13, 0.10), of_events=91), False),
        (floor((9.0, 10.0), (0.13, 0.10), of_actions=29), False),
    ],
)
def test_every_budget_of_the_floor_counts(found: Floor, met: bool) -> None:
    assert found.is_met is met
    assert found.as_dict()["met"] is met


def test_a_ratio_is_the_median_of_its_pairs() -> None:
    assert Ratio("x", "y", ((1, 1), (3, 1), (2, 1)), 2.0).ratio == 2.0


def test_a_bill_counts_all_runs_and_leaves_out_what_a_fresh_run_costs() -> None:
    run = {"events": [{"eventType": f"EVENT_TYPE_{kind}"} for kind in ("WORKFLOW_EXECUTION_STARTED", "TIMER_STARTED")]}
    fresh = {"events": [*run["events"], *({"eventType": "EVENT_TYPE_WORKFLOW_TASK_STARTED"} for _ in range(10))]}
    assert billed([run, fresh]) == {"WORKFLOW_EXECUTION_STARTED": 2, "TIMER_STARTED": 2}
    assert actions([run, fresh]) == 4 - 2
    assert events([run, fresh]) == 14 - 11


def test_the_bare_life_has_each_partner_once_and_begins_anew_once() -> None:
    assert Counter(part.partner for part in PARTS if part.partner) == Counter(registry.partners())
    assert [number for number, part in enumerate(PARTS) if part.signal is None] == [FRESH_RUN]


async def test_a_line_that_is_still_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "progress"
    look = BareLook(file)
    assert await look(()) == {}
    file.write_text("VEN-A 3\nVEN-B 2\nVEN-C 7", "ascii")
    assert await look(()) == {"VEN-A": "arrival.paroled"}
    file.write_text("VEN-A 3\nVEN-B 2\nVEN-C 7\nVEN-A 4\n", "ascii")
    assert await look(()) == {"VEN-C": "done"}


@pytest.mark.parametrize(
    ("rate", "claimed", "counts", "met"),
    [
        (0.5, 12, (10, 10, 10), True),
        (0.49, 12, (10, 10, 10), False),
        (0.5, 10, (10, 10, 10), False),  # nobody was refused: that is no contest
        (0.5, 12, (9, 9, 9), False),
        (0.5, 12, (11, 10, 10), False),
        (0.5, 12, (10, 11, 10), False),
        (0.5, 12, (10, 10, 9), False),
    ],
)
def test_places_are_exact_by_every_count(rate: float, claimed: int, counts: tuple[int, int, int], met: bool) -> None:
    found = Places(Ratio("places", "claims/s", ((rate, 1.0),), 0.5), 10, claimed, *counts)
    assert found.is_met is met
    assert found.as_dict()["met"] is met
    assert ("NOT MET" in "\n".join(found.lines())) is not met


@pytest.mark.parametrize(
    ("memory", "woken_ms", "met"),
    [
        (1.3, 250.0, True),
        (1.31, 250.0, False),
        (1.3, 250.1, False),
    ],
)
def test_memory_and_wake_up_both_count(memory: float, woken_ms: float, met: bool) -> None:
    found = Cache(((memory, 1.0),), (*[10.0] * 94, woken_ms, *[9000.0] * 5))
    assert found.wake_p95_ms == woken_ms
    assert found.is_met is met
    assert found.as_dict()["met"] is met
    assert ("NOT MET" in "\n".join(found.lines())) is not met
