"""What a played scenario shows, and where it differs from what its file expects."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from domain.humanitarian_parole.stages.parole import Parole, parole_last_day
from domain.humanitarian_parole.stages.travel import authorized_until
from domain.kernel.calendar import month_of
from simulation.format.scenario import ExpectedCase, ExpectedProgramme
from tests.support.player import Player, Playing


def shown_case(player: Player, playing: Playing) -> dict[str, Any]:
    """One case as the result shows it."""
    case, rules = playing.case, player.rules_of(playing.case)
    return {
        "stage": case.stage,
        "outcome": case.outcome,
        "reason": case.reason,
        "waiting_on": case.waiting_on,
        "work_permit": case.of(Parole).work_permit,
        "authorized_until": authorized_until(case, player.programme, rules),
        "paroled_until": parole_last_day(case, player.programme),
        "events": [type(event).__name__ for event in playing.events],
    }


def shown_programme(player: Player) -> dict[str, int]:
    """The programme as the result shows it, just before `until`."""
    month = month_of(player.scenario.until - timedelta(microseconds=1))
    return {
        "places": player.programme.places,
        "authorized": player.places.authorized(player.programme, month),
        "waiting": len(player.places.waiting),
    }


def differences(player: Player) -> list[str]:
    """Every expectation that does not hold, each with what was found."""
    found = [
        f"answer to {each['message']} at {each['at']}: expected {each['expected']}, was {each['answer']}"
        for each in player.answers
        if each["expected"] is not None and each["expected"] != each["answer"]
    ]
    for name, expected in player.scenario.expect.items():
        shown = shown_case(player, player.cases[name])
        found.extend(f"{name}: {each}" for each in _case_differences(expected, shown))
    expected_programme = player.scenario.expect_programme
    assert isinstance(expected_programme, ExpectedProgramme), "one programme alone is played"
    shown_now = shown_programme(player)
    found.extend(
        f"programme.{key}: expected {getattr(expected_programme, key)}, was {shown_now[key]}"
        for key in sorted(expected_programme.model_fields_set)
        if getattr(expected_programme, key) != shown_now[key]
    )
    return found


def _case_differences(expected: ExpectedCase, shown: dict[str, Any]) -> Iterator[str]:
    events = shown["events"]
    for key in sorted(expected.model_fields_set - {"events", "never", "counts"}):
        if getattr(expected, key) != shown[key]:
            yield f"{key}: expected {getattr(expected, key)}, was {shown[key]}"
    left = iter(events)
    missing = next((name for name in expected.events if name not in left), None)
    if missing is not None:
        yield f"events: {missing} is not there in its order; there are {', '.join(events)}"
    yield from (f"never {name}, but it happened" for name in expected.never if name in events)
    for name, count in expected.counts.items():
        if events.count(name) != count:
            yield f"counts: {name} expected {count}, was {events.count(name)}"
