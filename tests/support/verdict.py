"""What a played scenario shows, and where it differs from what its file expects."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from domain.humanitarian_parole.stages.parole import Parole, parole_last_day
from domain.humanitarian_parole.stages.travel import authorized_until
from domain.kernel.calendar import month_of
from simulation.format.scenario import ExpectedCase, ExpectedPool, ExpectedProgramme
from tests.support.player import Player, Playing


def shown_case(player: Player, playing: Playing) -> dict[str, Any]:
    """One case as the result shows it."""
    case, rules, programme = playing.case, player.rules_of(playing.case), player.programme_of(playing.case)
    return {
        "stage": case.stage,
        "outcome": case.outcome,
        "reason": case.reason,
        "waiting_on": case.waiting_on,
        "work_permit": case.of(Parole).work_permit,
        "authorized_until": authorized_until(case, programme, rules),
        "paroled_until": parole_last_day(case, programme),
        "events": [type(event).__name__ for event in playing.events],
    }


def shown_programme(player: Player) -> dict[str, Any]:
    """The programme as the result shows it, just before `until`; a map by programme where there are several."""
    every = {name: _numbers(player, name) for name in player.programmes}
    return every if len(every) > 1 else next(iter(every.values()))


def _numbers(player: Player, name: str) -> dict[str, int]:
    places, month = player.places, _last_month(player)
    cap = places.pools[player.programmes[name].pool].places
    return {"places": cap, "authorized": places.authorized(name, month), "waiting": places.waits(name)}


def shown_pools(player: Player) -> dict[str, dict[str, int]]:
    """The pools that the programmes draw on now, just before `until`; `taken` leaves reservations out."""
    drawn = dict.fromkeys(each.pool for each in player.programmes.values())
    return {
        pool: {
            "places": player.places.pools[pool].places,
            "taken": sum(
                player.places.authorized(name, _last_month(player))
                for name, each in player.programmes.items()
                if each.pool == pool
            ),
        }
        for pool in drawn
    }


def _last_month(player: Player) -> str:
    return month_of(player.scenario.until - timedelta(microseconds=1))


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
    found.extend(_programme_differences(player))
    for name, pool in player.scenario.expect_pools.items():
        found.extend(_number_differences(f"pools.{name}", pool, shown_pools(player)[name]))
    return found


def _programme_differences(player: Player) -> Iterator[str]:
    expected, shown = player.scenario.expect_programme, shown_programme(player)
    if isinstance(expected, ExpectedProgramme):
        yield from _number_differences("programme", expected, shown)
        return
    for name, each in expected.items():
        yield from _number_differences(f"programme.{name}", each, shown[name])


def _number_differences(where: str, expected: ExpectedProgramme | ExpectedPool, shown: dict[str, int]) -> Iterator[str]:
    for key in sorted(expected.model_fields_set):
        if getattr(expected, key) != shown[key]:
            yield f"{where}.{key}: expected {getattr(expected, key)}, was {shown[key]}"


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
