"""Who counts as the same person."""

from datetime import date
from typing import Any

import pytest

from domain.persons import passport_identity, person_identities, supporter_identities
from tests.support.filed import a_beneficiary, a_passport, a_supporter


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"given_names": "ana maria", "surnames": "ROJAS PEREZ", "passport": a_passport(number="X1")}, True),
        ({"given_names": "Ana  Mari\u0301a", "passport": a_passport(number="X1")}, True),
        ({"given_names": "Somebody", "surnames": "Else", "birth_date": date(2000, 1, 1)}, True),
        ({"birth_date": date(1990, 5, 15), "passport": a_passport(number="X1")}, False),
        ({"given_names": "Ana", "passport": a_passport(number="X1")}, False),
        ({"given_names": "Ana", "passport": a_passport(issuing_country="ESP")}, False),
    ],
    ids=[
        "case and accents",
        "spaces and composed characters",
        "passport",
        "birth date",
        "fewer names",
        "another country",
    ],
)
def test_one_person_by_passport_or_by_names_and_birth_date(changes: dict[str, Any], same: bool) -> None:
    one, other = person_identities(a_beneficiary()), person_identities(a_beneficiary(**changes))

    assert bool(set(one) & set(other)) is same


def test_a_passport_number_is_the_same_however_it_is_written() -> None:
    assert passport_identity(a_passport(number="151-234 567")) == passport_identity(a_passport(number="151234567"))


def test_names_do_not_run_into_each_other() -> None:
    one = person_identities(a_beneficiary(given_names="Ana", surnames="María Rojas"))
    other = person_identities(a_beneficiary(given_names="Ana María", surnames="Rojas"))

    assert one[1] != other[1]


def test_a_supporter_is_one_person_by_names_and_birth_date_whatever_the_rest_says() -> None:
    one = supporter_identities(a_supporter())
    other = supporter_identities(a_supporter(given_names="LUIS", surnames="gomez", tax_id="x", phone="1", address="2"))

    assert one.person == other.person
    assert one.person != supporter_identities(a_supporter(birth_date=date(1980, 1, 2))).person
    assert (one.tax_id, one.phone, one.address) != (other.tax_id, other.phone, other.address)


def test_a_supporter_is_never_the_same_person_as_a_beneficiary() -> None:
    supporter = supporter_identities(a_supporter())
    beneficiary = a_beneficiary(given_names="Luis", surnames="Gómez", birth_date=date(1980, 1, 1))

    assert supporter.person not in person_identities(beneficiary)
