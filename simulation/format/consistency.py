"""What the sections of a scenario must agree on: names, programmes, partners, which messages carry a case."""

from collections import Counter
from collections.abc import Iterator, Mapping

from domain import registry
from simulation.format.applications import ScenarioApplication, stand_in
from simulation.format.faults import Fault
from simulation.format.programmes import (
    only_pool,
    pool_named,
    programme_of,
    programmes_of,
    rules_at_start,
    version_at_start,
)
from simulation.format.scenario import ExpectedProgramme, Scenario, TimelineItem
from simulation.format.yaml_source import Located


def inconsistencies(scenario: Scenario, source: Located) -> Iterator[Fault]:
    """Every disagreement inside a scenario whose sections are well formed, each where it was written."""
    yield from _programmes(scenario, source)
    yield from _places(scenario, source)
    for name, application in scenario.applications.items():
        yield from _application(scenario, source, name, application)
    for index, item in enumerate(scenario.timeline):
        yield from _item(scenario, source, index, item)
    for name in scenario.expect:
        if name not in scenario.applications:
            yield Fault(source.at(["expect", name]), "no application of that name")
    yield from _expected_programmes(scenario, source)


def _programmes(scenario: Scenario, source: Located) -> Iterator[Fault]:
    for name in programmes_of(scenario):
        if name not in registry.programmes():
            known = ", ".join(registry.programmes())
            yield Fault(source.at(_where_named(scenario, name)), f"no such programme; there are {known}")
        elif rules_at_start(scenario, name) is None:
            known = ", ".join(sorted(registry.programme(name).sets))
            place = source.at(["rules", name])
            if version_at_start(scenario, name) is None:
                yield Fault(place.inside(name), f"is missing; there are {known}")
            else:
                of = f" of {name}" if len(programmes_of(scenario)) > 1 else ""
                yield Fault(place, f"no such rule set{of}; there are {known}")


def _where_named(scenario: Scenario, programme: str) -> list[str | int]:
    """The first place at which the scenario names that programme."""
    if scenario.programme == programme:
        return ["programme"]
    for name, application in scenario.applications.items():
        if application.programme == programme:
            return ["applications", name, "programme"]
    for index, item in enumerate(scenario.timeline):
        if item.programme == programme:
            return ["timeline", index, "programme"]
    return ["rules", programme]


def _places(scenario: Scenario, source: Located) -> Iterator[Fault]:
    if scenario.places is None:
        return
    if not isinstance(scenario.places, Mapping):
        if only_pool(scenario) is None:
            yield Fault(source.at(["places"]), "could be the cap of several pools: give a map by pool")
        return
    named = {name: pool_named(scenario, name) for name in scenario.places}
    twice = Counter(named.values())
    for name, pool in named.items():
        if pool is None:
            yield Fault(source.at(["places", name]), "no programme or pool of that name at the start")
        elif twice[pool] > 1:
            yield Fault(source.at(["places", name]), f"the cap of {pool} is given twice")


def _application(scenario: Scenario, source: Located, name: str, application: ScenarioApplication) -> Iterator[Fault]:
    where = ["applications", name]
    yield from _opened(scenario, source, name, application)
    other, names_case = application.other_case, application.FAMILY.names_case
    if other == stand_in(name):
        yield Fault(source.at([*where, *names_case]), "is the application itself")
    elif other is not None and other not in map(stand_in, scenario.applications):
        yield Fault(source.at([*where, *names_case]), "no application of that name")
    for partner, answer in application.partners.foreign_answers():
        yield Fault(source.at([*where, "partners", partner, "answer"]), f"{partner} does not send {answer}")


def _opened(scenario: Scenario, source: Located, name: str, application: ScenarioApplication) -> Iterator[Fault]:
    where = ["applications", name]
    programme = programme_of(scenario, application)
    if programme is None:
        yield Fault(source.at(where).inside("programme"), "is missing, and the scenario has none of its own")
    elif programme in registry.programmes():
        opens_at = registry.programme(programme).opens_at
        if application.filed_at < opens_at:
            told = f"is before {programme} opens, at {opens_at.isoformat()}"
            yield Fault(source.at([*where, "filed_at"]), told)


def _item(scenario: Scenario, source: Located, index: int, item: TimelineItem) -> Iterator[Fault]:
    where: list[str | int] = ["timeline", index]
    if item.to_programme:
        if item.case is not None:
            yield Fault(source.at([*where, "case"]), f"{item.message} speaks to the programme and carries no case")
        if programme_of(scenario, item) is None:
            yield Fault(source.at(where).inside("programme"), "is missing, and the scenario has none of its own")
        return
    yield from _named(scenario, source, where, item)
    if item.programme is not None:
        yield Fault(source.at([*where, "programme"]), f"{item.message} speaks to a case and carries no programme")
    if item.case is None:
        yield Fault(source.at(where).inside("case"), f"is missing: {item.message} speaks to a case")
    elif item.case not in scenario.applications:
        yield Fault(source.at([*where, "case"]), "no application of that name")


def _named(scenario: Scenario, source: Located, where: list[str | int], item: TimelineItem) -> Iterator[Fault]:
    if item.sender is not None and item.sender not in item.says.SENDERS:
        yield Fault(source.at([*where, "from"]), f"{item.sender} does not send {item.message}")
    if item.takes_back is not None and scenario.taken_back(item) is None:
        yield Fault(source.at([*where, "of"]), "no message of that name on the timeline")
    if item.id is not None and sum(each.id == item.id for each in scenario.timeline) > 1:
        yield Fault(source.at([*where, "id"]), "two messages have that name")


def _expected_programmes(scenario: Scenario, source: Located) -> Iterator[Fault]:
    used, expected = programmes_of(scenario), scenario.expect_programme
    if isinstance(expected, ExpectedProgramme):
        if expected.model_fields_set and len(used) > 1:
            yield Fault(source.at(["expect_programme"]), f"is a map by programme: there are {', '.join(used)}")
        return
    for name in expected:
        if name not in used:
            yield Fault(source.at(["expect_programme", name]), "no programme of that name in this scenario")
