"""Who counts as the same person, as text to be hashed with a key; nothing here is stored in clear."""

import unicodedata
from typing import NamedTuple

from domain.application import Beneficiary, Passport, Supporter


def _plain(text: str) -> str:
    """Without case, accents and surplus spaces."""
    decomposed = unicodedata.normalize("NFKD", text)
    return " ".join("".join(sign for sign in decomposed if not unicodedata.combining(sign)).casefold().split())


def _signs(text: str) -> str:
    """Letters and digits only, for numbers that people write with and without separators."""
    return "".join(sign for sign in _plain(text) if sign.isalnum())


def passport_identity(passport: Passport) -> str:
    """A passport is the same by country and number, however the number is punctuated."""
    return f"passport|{passport.issuing_country}|{_signs(passport.number)}"


def _name_identity(role: str, given_names: str, surnames: str, birth_date: object) -> str:
    return f"{role}|{_plain(given_names)}|{_plain(surnames)}|{birth_date}"


def person_identities(beneficiary: Beneficiary) -> tuple[str, ...]:
    """By passport, and by names and birth date: two beneficiaries that share one are one person."""
    return (
        passport_identity(beneficiary.passport),
        _name_identity("beneficiary", beneficiary.given_names, beneficiary.surnames, beneficiary.birth_date),
    )


class SupporterIdentities(NamedTuple):
    """`person` says who the supporter is; the details are compared with those of other supporters.

    A detail that was left empty is the empty text, which is equal to nobody's.
    """

    person: str
    tax_id: str
    phone: str
    address: str


def supporter_identities(supporter: Supporter) -> SupporterIdentities:
    """A supporter is one person by names and birth date."""
    return SupporterIdentities(
        person=_name_identity("supporter", supporter.given_names, supporter.surnames, supporter.birth_date),
        tax_id=_signs(supporter.tax_id),
        phone=_signs(supporter.phone),
        address=_signs(supporter.address),
    )
