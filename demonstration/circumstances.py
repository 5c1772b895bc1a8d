"""What people file and what partners say, where it differs from the agreeable rule."""

from datetime import UTC, date, datetime
from typing import Final

from demonstration.moves import days
from demonstration.people import application, beneficiary
from domain.humanitarian_parole.application import Application, Document, TravelsWith
from domain.humanitarian_parole.stages.vetting import Finding
from simulators.scripts import AGREEABLE, PartnerScript, PartnerScripts

ON_THE_CUTOFF: Final = datetime(2022, 10, 12, 15, tzinfo=UTC)
"""In Mexico, on the first day that is too late."""


def answering(**partners: PartnerScript) -> PartnerScripts:
    """Agreeable partners, but for those named here."""
    return AGREEABLE.model_copy(update=partners)


def says(answer: str, after_days: float, **fields: object) -> PartnerScript:
    """A partner that gives this answer, with these fields of it, after so many days."""
    return PartnerScript.model_validate({"answer": answer, "after": days(after_days), **fields})


REMOVAL_ORDER: Final = Finding(kind="removal_order", dated=date(2020, 6, 1))

SILENT: Final = PartnerScript(answer="none")


def without_documents(number: int) -> Application:
    """Entered in time, and has nothing to show for it yet."""
    return application(number).model_copy(update={"documents": ()})


def weakly_documented(number: int) -> Application:
    """Shows a permit that rests on its holder's own word."""
    declared = Document(kind="tvrh", number="H-9", issued_on=date(2022, 9, 20))
    return application(number).model_copy(update={"documents": (declared,)})


def in_colombia(number: int) -> Application:
    """Not in Mexico, so nothing about an entry there is asked."""
    person = beneficiary(number).model_copy(update={"located_in": "COL"})
    return application(number).model_copy(update={"beneficiary": person, "entries": (), "documents": ()})


def of_two_nationalities(number: int) -> Application:
    """Venezuelan and Spanish."""
    return _of(number, nationalities=("VEN", "ESP"))


def child_of_two_nationalities(number: int) -> Application:
    """Venezuelan and Colombian, under 21, with a parent whose case is named when it is filed."""
    principal = TravelsWith.model_construct(case="", relationship="child")
    return _of(number, nationalities=("VEN", "COL"), birth_date=date(2004, 5, 5), travels_with=principal)


def minor_without_guardian(number: int) -> Application:
    """Twelve years old, with nobody who answers for them."""
    return _of(number, birth_date=date(2010, 5, 5))


def _of(number: int, **changes: object) -> Application:
    person = beneficiary(number).model_copy(update=changes)
    return application(number).model_copy(update={"beneficiary": person})
