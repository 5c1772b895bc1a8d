"""The programmes of a scenario: which it uses, which one an entry is about, and how each stands at the start."""

from collections.abc import Iterable, Iterator, Mapping

from domain import registry
from domain.kernel.messages import CapChange
from domain.kernel.rule_set import RuleSet
from simulation.format.applications import ScenarioApplication
from simulation.format.scenario import Scenario, TimelineItem


def programmes_of(scenario: Scenario) -> tuple[str, ...]:
    """Every programme that the scenario names, its own first, then in the order of the file."""
    return tuple(dict.fromkeys(name for name in _named(scenario) if name is not None))


def _named(scenario: Scenario) -> Iterator[str | None]:
    yield scenario.programme
    yield from (each.programme for each in scenario.applications.values())
    yield from (each.programme for each in scenario.timeline)
    yield from scenario.rules if isinstance(scenario.rules, Mapping) else ()


def programme_of(scenario: Scenario, said: ScenarioApplication | TimelineItem) -> str | None:
    """The programme that an application is filed under, or that a message to a programme speaks to.

    A message that names no programme in a scenario without one of its own speaks to the only one that there is or, if
    it is about a pool, to the first that draws on it.
    """
    if (named := said.programme or scenario.programme) is not None:
        return named
    if isinstance(said, ScenarioApplication):
        return None
    used = programmes_of(scenario)
    pool = said.says.pool if isinstance(said.says, CapChange) else None
    if pool is not None:
        used = tuple(name for name in used if pool in pools_of(rules_at_start(scenario, name)))
        return next(iter(used), None)
    return used[0] if len(used) == 1 else None


def version_at_start(scenario: Scenario, programme: str) -> str | None:
    """The version of the rules of a programme at the start; None where the scenario names none for it."""
    return scenario.rules.get(programme) if isinstance(scenario.rules, Mapping) else scenario.rules


def rules_at_start(scenario: Scenario, programme: str) -> RuleSet | None:
    """Those rules; None where the scenario names none, or where there is no such set or programme."""
    found = registry.programmes().get(programme)
    version = version_at_start(scenario, programme)
    return None if found is None or version is None else found.sets.get(version)


def pools_of(rules: RuleSet | None) -> tuple[str, ...]:
    """The pools that places are of under these rules."""
    return () if rules is None else tuple(cap.pool for cap in rules.caps)


def pool_named(scenario: Scenario, name: str) -> str | None:
    """The pool that a key of `places` means: the only one of that programme, or the one of that name."""
    drawn = pools_of(rules_at_start(scenario, name)) if name in programmes_of(scenario) else ()
    if len(drawn) == 1:
        return drawn[0]
    every = _all_pools(scenario)
    return name if name in every else None


def places_at_start(scenario: Scenario) -> dict[str, int]:
    """The caps that the scenario sets, by pool. One number is the cap of its own programme, or of the only pool."""
    if scenario.places is None:
        return {}
    if isinstance(scenario.places, Mapping):
        named = ((pool_named(scenario, name), places) for name, places in scenario.places.items())
        return {pool: places for pool, places in named if pool is not None}
    pool = only_pool(scenario)
    return {} if pool is None else {pool: scenario.places}


def only_pool(scenario: Scenario) -> str | None:
    """The pool whose cap a single number is; None where it could be that of several."""
    own = pools_of(rules_at_start(scenario, scenario.programme)) if scenario.programme is not None else ()
    pools = tuple(dict.fromkeys(own or _all_pools(scenario)))
    return pools[0] if len(pools) == 1 else None


def _all_pools(scenario: Scenario) -> Iterable[str]:
    return [pool for name in programmes_of(scenario) for pool in pools_of(rules_at_start(scenario, name))]
