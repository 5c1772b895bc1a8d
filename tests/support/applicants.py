"""What people file and say, where a test needs it beside the scenarios: made-up people, one for each number."""

from datetime import date
from typing import Any, Final

from domain.humanitarian_parole.application import Application, Passport, Supporter
from simulation.demonstration.repeat import application
from simulators.scripts import SILENT, PartnerScripts
from tests.support.fault_script import SCENARIOS

PROMPT: Final = next(iter(SCENARIOS[0].applications.values())).partners
"""Partners who say yes within a second."""
NOBODY_ANSWERS: Final = PartnerScripts(
    sponsor_registry=SILENT, entry_records=SILENT, vetting=SILENT, work_permit_office=SILENT
)
A_PERMIT: Final[dict[str, Any]] = {
    "documents": [
        {
            "kind": "fmm",
            "number": "F-20220901",
            "entered_on": "2022-09-01",
            "issued_on": "2022-09-01",
            "place": "Tapachula",
        }
    ]
}
"""The Mexican entry permit that was asked for."""


def without_documents(number: int) -> Application:
    """Entered in time, and has nothing to show for it yet."""
    return application(number).model_copy(update={"documents": ()})


def in_colombia(number: int) -> Application:
    """Not in Mexico, so nothing about an entry there is asked."""
    filed = application(number)
    person = filed.beneficiary.model_copy(update={"located_in": "COL"})
    return filed.model_copy(update={"beneficiary": person, "entries": (), "documents": ()})


def passport(number: str) -> Passport:
    """A Venezuelan passport that outlasts every test."""
    return Passport(number=number, issuing_country="VEN", issued_on=date(2021, 3, 1), expires_on=date(2052, 3, 1))


def supporter(number: int) -> Supporter:
    """The supporter of person `number`."""
    return application(number).supporter
