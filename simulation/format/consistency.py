"""What the sections of a scenario must agree on: names, partners, which messages carry a case."""

from collections.abc import Iterator

from domain import registry
from simulation.format.faults import Fault
from simulation.format.scenario import Scenario, ScenarioApplication, TimelineItem
from simulation.format.yaml_source import Located


def inconsistencies(scenario: Scenario, source: Located) -> Iterator[Fault]:
    """Every disagreement inside a scenario whose sections are well formed, each where it was written."""
    if scenario.programme not in registry.programmes():
        known = ", ".join(registry.programmes())
        yield Fault(source.at(["programme"]), f"no such programme; there are {known}")
    elif scenario.rules not in registry.programme(scenario.programme).sets:
        known = ", ".join(sorted(registry.programme(scenario.programme).sets))
        yield Fault(source.at(["rules"]), f"no such rule set; there are {known}")
    for name, application in scenario.applications.items():
        yield from _application(scenario, source, name, application)
    for index, item in enumerate(scenario.timeline):
        yield from _item(scenario, source, index, item)
    for name in scenario.expect:
        if name not in scenario.applications:
            yield Fault(source.at(["expect", name]), "no application of that name")


def _application(scenario: Scenario, source: Located, name: str, application: ScenarioApplication) -> Iterator[Fault]:
    where = ["applications", name]
    principal = application.principal
    if principal is not None and principal not in scenario.applications:
        yield Fault(source.at([*where, "beneficiary", "travels_with", "case"]), "no application of that name")
    if principal == name:
        yield Fault(source.at([*where, "beneficiary", "travels_with", "case"]), "nobody travels with themselves")
    for partner, answer in application.partners.foreign_answers():
        yield Fault(source.at([*where, "partners", partner, "answer"]), f"{partner} does not send {answer}")


def _item(scenario: Scenario, source: Located, index: int, item: TimelineItem) -> Iterator[Fault]:
    where: list[str | int] = ["timeline", index]
    if item.to_programme:
        if item.case is not None:
            yield Fault(source.at([*where, "case"]), f"{item.message} speaks to the programme and carries no case")
    elif item.case is None:
        yield Fault(source.at(where).inside("case"), f"is missing: {item.message} speaks to a case")
    elif item.case not in scenario.applications:
        yield Fault(source.at([*where, "case"]), "no application of that name")
