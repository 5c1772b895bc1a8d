"""Fixed people, documents and filings for tests of the domain. Every factory takes what a test changes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from domain.humanitarian_parole.application import (
    Application,
    Beneficiary,
    Document,
    Entry,
    Guardian,
    Passport,
    PassportExtension,
    Supporter,
    TravelsWith,
)
from domain.kernel.ids import CaseId, case_id_from_entropy

CASE = case_id_from_entropy("VEN", b"the case in question")
PRINCIPAL = case_id_from_entropy("VEN", b"the principal's case")
EARLIER = case_id_from_entropy("VEN", b"an earlier case of somebody")

FILED_AT = datetime(2022, 10, 20, 14, tzinfo=UTC)
"""The 20th of October 2022, ten in the morning in New York."""


def day(number: float) -> datetime:
    """The moment `number` 24-hour days after the filing."""
    return FILED_AT + timedelta(days=number)


def a_passport(**changes: Any) -> Passport:
    """A passport issued after the reform and valid until 2026."""
    fields: dict[str, Any] = {
        "number": "151234567",
        "issuing_country": "VEN",
        "issued_on": date(2021, 3, 1),
        "expires_on": date(2026, 3, 1),
    }
    return Passport(**{**fields, **changes})


def an_extension(issued_on: date, expires_on: date) -> PassportExtension:
    """An extension stamped into a passport."""
    return PassportExtension(issued_on=issued_on, expires_on=expires_on)


def a_beneficiary(**changes: Any) -> Beneficiary:
    """An adult in Colombia who never was in Mexico."""
    fields: dict[str, Any] = {
        "given_names": "Ana María",
        "surnames": "Rojas Pérez",
        "birth_date": date(1990, 5, 14),
        "nationalities": ("VEN",),
        "passport": a_passport(),
        "located_in": "COL",
    }
    return Beneficiary(**{**fields, **changes})


def a_guardian(relationship: Any, evidence: Any) -> Guardian:
    """Who answers for a minor."""
    return Guardian(relationship=relationship, evidence=evidence)


def travelling_with(relationship: Any, principal: CaseId = PRINCIPAL) -> TravelsWith:
    """Somebody who travels with a principal."""
    return TravelsWith(case=principal, relationship=relationship)


def an_entry(entered_at: str = "2022-09-01T10:00:00-05:00", **changes: Any) -> Entry:
    """A regular entry into Mexico before the cutoff; `entered_at` as written, with its offset."""
    fields: dict[str, Any] = {"country": "MEX", "place": "Tapachula", "manner": "regular"}
    return Entry(entered_at=datetime.fromisoformat(entered_at), **{**fields, **changes})


def a_stamp(**changes: Any) -> Document:
    """A document strong enough to prove entry before the cutoff."""
    fields: dict[str, Any] = {
        "kind": "passport_stamp",
        "number": "A1",
        "entered_on": date(2022, 9, 1),
        "issued_on": date(2022, 9, 1),
    }
    return Document(**{**fields, **changes})


def a_supporter(**changes: Any) -> Supporter:
    """Somebody in the United States who supports."""
    fields: dict[str, Any] = {
        "given_names": "Luis",
        "surnames": "Gómez",
        "birth_date": date(1980, 1, 1),
        "tax_id": "900-00-0001",
        "status": "citizen",
        "household_size": 2,
        "annual_income_usd": 60_000,
        "address": "1 Main St, Houston TX",
        "phone": "+1-713-555-0100",
        "email": "luis@example.org",
    }
    return Supporter(**{**fields, **changes})


def another_supporter() -> Supporter:
    """Somebody else, who shares nothing with `a_supporter()`."""
    return a_supporter(
        given_names="Nora",
        surnames="Blum",
        birth_date=date(1969, 9, 9),
        tax_id="900-00-2001",
        address="8 Lake Rd, Reno NV",
        phone="+1-775-555-0188",
        email="nora@example.org",
    )


def an_application(beneficiary: Beneficiary | None = None, **changes: Any) -> Application:
    """A filing for somebody in Colombia."""
    fields: dict[str, Any] = {"beneficiary": beneficiary or a_beneficiary(), "supporter": a_supporter()}
    return Application(**{**fields, **changes})


def in_mexico(*entries: Entry, documents: tuple[Document, ...] = ()) -> Application:
    """A filing for somebody in Mexico, who entered as `entries` say."""
    return an_application(a_beneficiary(located_in="MEX"), entries=entries or (an_entry(),), documents=documents)
