"""The second part: the last places, the waiting list, a suspension, and the end of the programme.

It begins once nobody of the first part can free a place any more, so who waits and who travels is certain.
"""

from datetime import datetime
from typing import Any, Final

from demonstration.moves import applies_for_work, arrives, days, withdraws
from demonstration.people import application
from demonstration.story import Act, Gate, Standing, Story, gate
from simulators.scripts import PartnerScript, PartnerScripts

LAST_PLACE: Final = "the last place, given back"
FIRST_WAITING: Final = "waits, and gets it"
SECOND_WAITING: Final = "waits until places are added"
LEFT_WAITING: Final = "filed in a suspension, still waiting at the end"
NAMES: Final = (LAST_PLACE, FIRST_WAITING, SECOND_WAITING, LEFT_WAITING)

_QUICK: Final = PartnerScripts(
    sponsor_registry=PartnerScript(answer="sponsor.confirmed", after=days(0.5)),
    entry_records=PartnerScript(answer="entry.matched", after=days(0.1)),
    vetting=PartnerScript(answer="vetting.cleared", after=days(1)),
    work_permit_office=PartnerScript(answer="work_permit.eligible", after=days(20)),
)
"""Whoever holds the last place has 90 days, nine seconds, in which two others come to wait for it."""

_PAROLED: Final[tuple[Standing, ...]] = ("parole_end", "work_permit_office", "closed")
_CAP: Final = "one place is left"
_SUSPEND: Final = "the programme is suspended"
_RESUME: Final = "the programme resumes"
_RAISE: Final = "a place is added"
_TERMINATE: Final = "the programme ends"


STORIES: Final = (
    Story(
        name=LAST_PLACE,
        person=61,
        application=application,
        partners=_QUICK,
        gates=(gate(_CAP, "done"),),
        moves=(withdraws("supporter", "arrival", 0, (gate(SECOND_WAITING, "place"),)),),
        outcome="withdrawn",
        reason="applicant-withdrew",
        events=("TravelAuthorized", "ApplicationWithdrawn", "CaseClosed"),
    ),
    Story(
        name=FIRST_WAITING,
        person=62,
        application=application,
        partners=_QUICK,
        gates=(gate(LAST_PLACE, "arrival"),),
        moves=(arrives(5),),
        outcome="completed",
        events=("Waitlisted", "TravelAuthorized", "ParoleGranted", "ParoleEnded", "CaseClosed"),
    ),
    Story(
        name=SECOND_WAITING,
        person=63,
        application=application,
        partners=_QUICK,
        gates=(gate(FIRST_WAITING, "place"),),
        moves=(arrives(5), applies_for_work()),
        outcome="completed",
        events=("Waitlisted", "TravelAuthorized", "ParoleGranted", "WorkPermitEligible", "ParoleEnded"),
    ),
    Story(
        name=LEFT_WAITING,
        person=64,
        application=application,
        partners=_QUICK,
        gates=(gate(_SUSPEND, "done"),),
        outcome="terminated",
        reason="programme-terminated",
        events=("CaseHeld", "CaseResumed", "Waitlisted", "CaseClosed"),
    ),
)


def second_part(first_part: tuple[str, ...]) -> tuple[tuple[Story, ...], tuple[Act, ...]]:
    """The stories of the second part and what the governments do, after `first_part`."""
    return STORIES, _acts(first_part)


def _acts(first_part: tuple[str, ...]) -> tuple[Act, ...]:
    return (
        Act(
            name=_CAP,
            message="programme.cap",
            gates=(Gate(first_part, frozenset(_PAROLED)),),
            fields=lambda _, taken: {"places": taken + 1},
        ),
        Act(name=_SUSPEND, message="programme.suspended", gates=(gate(FIRST_WAITING, *_PAROLED),)),
        Act(
            name=_RESUME,
            message="programme.resumed",
            gates=(gate(LEFT_WAITING, "programme"),),
            after=days(15),
        ),
        Act(
            name=_RAISE,
            message="programme.cap",
            gates=(gate(LEFT_WAITING, "place"),),
            after=days(10),
            fields=lambda _, taken: {"places": taken + 1},
        ),
        Act(
            name=_TERMINATE,
            message="programme.terminated",
            gates=(Gate(first_part, frozenset({"closed"})), gate(SECOND_WAITING, "parole_end")),
            fields=_in_a_week,
        ),
    )


def _in_a_week(now: datetime, _taken: int) -> dict[str, Any]:
    return {"parole_ends_on": (now + days(7)).date().isoformat()}
