"""A scenario at another time."""

from datetime import date, timedelta

from simulation.format.applications import ScenarioApplication
from simulation.format.scenario import Scenario, TimelineItem


def later(scenario: Scenario, by: timedelta) -> Scenario:
    """The same, so much later, by people who are so much younger. Moments that it expects are not moved."""

    def filed(application: ScenarioApplication) -> ScenarioApplication:
        born = application.content.beneficiary.birth_date + by
        beneficiary = application.content.beneficiary.model_copy(update={"birth_date": born})
        content = application.content.model_copy(update={"beneficiary": beneficiary})
        return application.model_copy(update={"filed_at": application.filed_at + by, "content": content})

    def said(item: TimelineItem) -> TimelineItem:
        moved = {key: each + by for key, each in item.says if isinstance(each, date)}  # a moment is a date too
        return item.model_copy(update={"at": item.at + by, "says": item.says.model_copy(update=moved)})

    return scenario.model_copy(
        update={
            "until": scenario.until + by,
            "applications": {name: filed(each) for name, each in scenario.applications.items()},
            "timeline": tuple(map(said, scenario.timeline)),
        }
    )
