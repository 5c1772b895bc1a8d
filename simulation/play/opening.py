"""Opens the programmes of a scenario, as the governments would before anybody files."""

from datetime import datetime

from cases.programme_commands import open_if_new
from cases.repository import CaseRepository
from domain import registry
from simulation.format.programmes import places_at_start, pools_of, programmes_of, rules_at_start
from simulation.format.scenario import Scenario


async def open_programmes(cases: CaseRepository, scenario: Scenario, now: datetime) -> None:
    """Open each programme of the scenario that is not open yet; a cap is set by the first that draws on the pool."""
    places = places_at_start(scenario)
    for name in programmes_of(scenario):
        rules = rules_at_start(scenario, name)
        if rules is not None:
            first, *others = pools_of(rules)
            first_places = places.pop(first, None)
            await open_if_new(cases, rules, first_places, now, {p: places.pop(p) for p in others if p in places})


def prefix_of(scenario: Scenario) -> str:
    """What the ids of cases of its first programme begin with."""
    return registry.programme(programmes_of(scenario)[0]).prefix
