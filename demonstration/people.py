"""Made-up people, one for each number, so that no two share a passport, a supporter or an address."""

from datetime import UTC, date, datetime
from typing import Final

from domain.humanitarian_parole.application import Application, Beneficiary, Document, Entry, Passport, Supporter

_GIVEN: Final = ("Ana María", "José Gregorio", "Yulimar", "Carlos Luis", "Génesis", "Wilmer", "Mariángel", "Ramón")
_SURNAMES: Final = ("Rojas Pérez", "Graterol Silva", "Peña Nieves", "Urdaneta", "Márquez Toro", "Salcedo", "Colina")
_SUPPORTER_GIVEN: Final = ("Luis", "Gloria", "Daniel", "Teresa", "Marcus", "Ingrid", "Paul", "Elena")
_SUPPORTER_SURNAMES: Final = ("Gómez", "Whitfield", "Torres", "Okafor", "Lindqvist", "Reyes", "Brandt")

ENTERED_ON: Final = date(2022, 9, 1)
"""Into Mexico, well before the cutoff of 12 October 2022."""

ENTRY: Final = Entry(
    country="MEX", entered_at=datetime(2022, 9, 1, 16, tzinfo=UTC), place="Tapachula", manner="regular"
)
STAMP: Final = Document(
    kind="passport_stamp", number="T-1", entered_on=ENTERED_ON, issued_on=ENTERED_ON, place="Tapachula"
)


def passport(number: str, issued_on: date = date(2021, 3, 1)) -> Passport:
    """A Venezuelan passport that outlasts the demonstration."""
    return Passport(number=number, issuing_country="VEN", issued_on=issued_on, expires_on=date(2032, 3, 1))


def passport_number(number: int) -> str:
    """The passport of person `number`; the simulated partners know their script by it."""
    return f"15{number:07}"


def beneficiary(number: int) -> Beneficiary:
    """An adult Venezuelan in Mexico."""
    return Beneficiary(
        given_names=_GIVEN[number % len(_GIVEN)],
        surnames=f"{_SURNAMES[number % len(_SURNAMES)]} {_in_letters(number)}",
        birth_date=date(1970 + number % 30, 1 + number % 12, 1 + number % 28),
        nationalities=("VEN",),
        passport=passport(passport_number(number)),
        located_in="MEX",
    )


def supporter(number: int) -> Supporter:
    """A citizen of the United States who supports this one person."""
    return Supporter(
        given_names=_SUPPORTER_GIVEN[number % len(_SUPPORTER_GIVEN)],
        surnames=f"{_SUPPORTER_SURNAMES[number % len(_SUPPORTER_SURNAMES)]} {_in_letters(number)}",
        birth_date=date(1950 + number % 40, 1 + number % 12, 1 + number % 28),
        tax_id=f"900-{number // 10_000:02}-{number % 10_000:04}",
        status="citizen",
        household_size=1 + number % 5,
        annual_income_usd=40_000 + number,
        address=f"{number} Main St, Houston TX",
        phone=f"+1-713-{555_0000 + number}",
        email=f"supporter-{number}@example.org",
    )


def application(number: int) -> Application:
    """What the supporter of person `number` files: an adult in Mexico, who entered in time and shows the stamp."""
    return Application(
        beneficiary=beneficiary(number), entries=(ENTRY,), documents=(STAMP,), supporter=supporter(number)
    )


def _in_letters(number: int) -> str:
    """A surname of its own for each number, for names and birth dates recognise a person too."""
    letters = ""
    while True:
        number, rest = divmod(number, 26)
        letters = chr(ord("a") + rest) + letters
        if number == 0:
            return letters.capitalize()
