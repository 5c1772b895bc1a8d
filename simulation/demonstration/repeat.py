"""The files of this folder as scenarios for one programme: each about people of its own, one filed after the other.

No expectation rests on a margin below a second: where people must act in time, a limit of 30 days or more is theirs,
three seconds at the usual speed, and they act as soon as they are asked.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Final

from domain.humanitarian_parole.application import Application, Passport, Supporter
from domain.kernel.messages import Message
from simulation.format.applications import ScenarioApplication
from simulation.format.loader import load_scenario
from simulation.format.scenario import Scenario, TimelineItem
from simulation.play.later import later

_FOLDER: Final = Path(__file__).parent
_GIVEN: Final = ("Ana María", "José Gregorio", "Yulimar", "Carlos Luis", "Génesis", "Wilmer", "Mariángel", "Ramón")
_SURNAMES: Final = ("Rojas Pérez", "Graterol Silva", "Peña Nieves", "Urdaneta", "Márquez Toro", "Salcedo", "Colina")
_SUPPORTER_GIVEN: Final = ("Luis", "Gloria", "Daniel", "Teresa", "Marcus", "Ingrid", "Paul", "Elena")
_SUPPORTER_SURNAMES: Final = ("Gómez", "Whitfield", "Torres", "Okafor", "Lindqvist", "Reyes", "Brandt")
STAGGER: Final = timedelta(hours=36)
"""Between two filings, so that a person can watch them come in."""
_OUTCOMES: Final = 8
"""So many of the first files, with the last places, show every outcome."""


def demonstration_files() -> list[Path]:
    """Every file that is a scenario, the last places at the end."""
    return [*sorted(_FOLDER.glob("[0-9]*.yaml")), _FOLDER / "last-places.yaml"]


@cache
def scenarios() -> tuple[Scenario, ...]:
    """What can be played in any number, in order."""
    return tuple(map(load_scenario, demonstration_files()[:-1]))


@cache
def last_places() -> Scenario:
    """Cases compete for the last places there, and the programme ends: it is played once, after all others."""
    return load_scenario(demonstration_files()[-1])


def cases_for_every_outcome() -> int:
    """So many cases show every outcome; fewer show the first of them."""
    return sum(len(each.applications) for each in (*scenarios()[:_OUTCOMES], last_places()))


def demonstration(cases: int) -> tuple[Scenario, ...]:
    """Scenarios with so many cases: the outcomes, other ways through the programme, then the same with other people."""
    with_the_end = cases >= cases_for_every_outcome()
    room = cases - len(last_places().applications) if with_the_end else cases
    chosen = [later(with_people(each, n), n * STAGGER) for n, each in enumerate(_fitting(room))]
    if with_the_end:
        chosen.append(later(with_people(_beside(last_places(), chosen), len(chosen)), len(chosen) * STAGGER))
    return tuple(chosen)


def _fitting(room: int) -> Iterator[Scenario]:
    for round_number in count(1):
        for each in scenarios():
            if len(each.applications) <= room:
                room -= len(each.applications)
                yield each if round_number == 1 else _renamed(each, f"{each.scenario} ({round_number})")
        if room == 0:
            return


def _renamed(scenario: Scenario, title: str) -> Scenario:
    return scenario.model_copy(update={"scenario": title})


def _beside(scenario: Scenario, others: Sequence[Scenario]) -> Scenario:
    """`scenario` with the places that others keep beside those that it speaks of."""
    kept = sum(expected.outcome == "completed" for each in others for expected in each.expect.values())

    def more(item: TimelineItem) -> TimelineItem:
        if item.message != "programme.cap":
            return item
        return item.model_copy(update={"says": item.says.model_copy(update={"places": item.says.places + kept})})

    return scenario.model_copy(update={"timeline": tuple(map(more, scenario.timeline))})


def with_people(scenario: Scenario, number: int) -> Scenario:
    """The same about other people: no two numbers share a name, a passport, a supporter or an address."""

    def filed(application: ScenarioApplication) -> ScenarioApplication:
        beneficiary = application.content.beneficiary
        passport = _passport(beneficiary.passport, number)
        drawn = _drawn(passport.number, _GIVEN, _SURNAMES, number)
        content = application.content.model_copy(
            update={
                "beneficiary": beneficiary.model_copy(update={"passport": passport, **drawn}),
                "supporter": _supporter(application.content.supporter, number),
            }
        )
        return application.model_copy(update={"content": content})

    def said(item: TimelineItem) -> TimelineItem:
        says: Message = item.says
        changed: dict[str, Any] = {}
        for key, each in says:
            if isinstance(each, Passport):
                changed[key] = _passport(each, number)
            elif isinstance(each, Supporter):
                changed[key] = _supporter(each, number)
        return item.model_copy(update={"says": says.model_copy(update=changed)})

    return scenario.model_copy(
        update={
            "applications": {name: filed(each) for name, each in scenario.applications.items()},
            "timeline": tuple(map(said, scenario.timeline)),
        }
    )


def application(number: int) -> Application:
    """What the supporter of person `number` files: an adult in Mexico, who entered in time and shows the stamp."""
    [filed] = with_people(scenarios()[0], number).applications.values()
    content: Application = filed.content
    return content


def _passport(passport: Passport, number: int) -> Passport:
    """Passports of one file differ in their last two digits."""
    return passport.model_copy(update={"number": str(int(passport.number) + 100 * number)})


def _supporter(supporter: Supporter, number: int) -> Supporter:
    own = {
        "tax_id": f"{supporter.tax_id}-{number}",
        "address": f"{number} {supporter.address}",
        "phone": f"{supporter.phone}-{number}",
        "email": f"{number}.{supporter.email}",
    }
    drawn = _drawn(supporter.tax_id, _SUPPORTER_GIVEN, _SUPPORTER_SURNAMES, number)
    return supporter.model_copy(update={**own, **drawn})


def _drawn(who: str, given: Sequence[str], surnames: Sequence[str], number: int) -> dict[str, str]:
    """Names of one person, with a surname that no other number has: names and birth dates recognise a person too."""
    draw = random.Random(f"{who} {number}")  # noqa: S311  no secret
    return {"given_names": draw.choice(given), "surnames": f"{draw.choice(surnames)} {_in_letters(number)}"}


def _in_letters(number: int) -> str:
    letters = ""
    while True:
        number, rest = divmod(number, 26)
        letters = chr(ord("a") + rest) + letters
        if number == 0:
            return letters.capitalize()
