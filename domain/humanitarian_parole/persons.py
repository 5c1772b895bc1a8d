"""Who counts as the same person, as text to be hashed with a key; nothing here is stored in clear."""

import unicodedata

from domain.humanitarian_parole.application import Beneficiary, Passport, Supporter
from domain.kernel.definition import Backer


def _plain(text: str) -> str:
    """Without case, accents and surplus spaces."""
    decomposed = unicodedata.normalize("NFKD", text)
    return " ".join("".join(each for each in decomposed if not unicodedata.combining(each)).casefold().split())


def _alphanumeric(text: str) -> str:
    """Letters and digits only, for numbers that people write with and without separators."""
    return "".join(each for each in _plain(text) if each.isalnum())


def passport_identity(passport: Passport) -> str:
    """A passport is the same by country and number, however the number is punctuated."""
    return f"passport|{passport.issuing_country}|{_alphanumeric(passport.number)}"


def _name_identity(role: str, given_names: str, surnames: str, birth_date: object) -> str:
    return f"{role}|{_plain(given_names)}|{_plain(surnames)}|{birth_date}"


def person_identities(beneficiary: Beneficiary) -> tuple[str, ...]:
    """By passport, and by names and birth date: two beneficiaries that share one are one person."""
    return (
        passport_identity(beneficiary.passport),
        _name_identity("beneficiary", beneficiary.given_names, beneficiary.surnames, beneficiary.birth_date),
    )


def supporter_identities(supporter: Supporter) -> Backer:
    """A supporter is one person by names and birth date."""
    return Backer(
        person=_name_identity("supporter", supporter.given_names, supporter.surnames, supporter.birth_date),
        tax_id=_alphanumeric(supporter.tax_id),
        phone=_alphanumeric(supporter.phone),
        address=_alphanumeric(supporter.address),
    )
