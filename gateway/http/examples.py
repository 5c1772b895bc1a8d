"""One request of each kind, as it may be sent. The OpenAPI document shows them, and a test sends them."""

from collections.abc import Mapping
from typing import Any, Final

from cases.inbound.wire import WIRE
from domain import registry

_CASE: Final = "VEN-7Q4K-M2XS"
_SUPPORTER: Final = {
    "given_names": "Luis",
    "surnames": "Gómez",
    "birth_date": "1980-01-01",
    "tax_id": "900-00-0001",
    "status": "citizen",
    "household_size": 2,
    "annual_income_usd": 60000,
    "address": "1 Main St, Houston TX",
    "phone": "+1-713-555-0100",
    "email": "luis@example.org",
}
_PASSPORT: Final = {
    "number": "000000001",
    "issuing_country": "VEN",
    "issued_on": "2020-03-01",
    "expires_on": "2030-03-01",
}
_DOCUMENT: Final = {
    "kind": "passport_stamp",
    "number": "A1",
    "entered_on": "2022-09-01",
    "issued_on": "2022-09-01",
    "place": "Tapachula",
}

FILING: Final[Mapping[str, Any]] = {
    "programme": "venezuela-air",
    "application": {
        "beneficiary": {
            "given_names": "María José",
            "surnames": "Pérez Rodríguez",
            "birth_date": "1990-05-17",
            "nationalities": ["VEN"],
            "passport": _PASSPORT,
            "located_in": "MEX",
        },
        "entries": [
            {
                "country": "MEX",
                "entered_at": "2022-09-01T10:00:00-05:00",
                "place": "Tapachula",
                "manner": "regular",
            }
        ],
        "documents": [_DOCUMENT],
        "supporter": _SUPPORTER,
    },
}

BOARDING_QUESTION: Final[Mapping[str, Any]] = {"case": _CASE}

_FIELDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "sponsor.confirmed": {"request_id": f"{_CASE}:2"},
    "sponsor.replaced": {"supporter": _SUPPORTER},
    "entry.matched": {"entered_at": "2022-09-01T10:00:00-05:00", "place": "Tapachula", "manner": "regular"},
    "entry.mismatch": {"fields": ["birth_date"]},
    "evidence.submitted": {"documents": [_DOCUMENT]},
    "passport.changed": {"passport": _PASSPORT, "surnames": "Pérez"},
    "vetting.cleared": {"findings": [{"kind": "removal_order", "dated": "2014-02-01"}]},
    "vetting.referred": {"flags": ["name-variant"]},
    "officer.decided": {"officer": "o-17", "decision": "approve", "why": "another person of that name"},
    "border.irregular_crossing": {"country": "PAN", "crossed_at": "2022-11-02T04:00:00-05:00"},
    "arrival.refused": {"port": "MIA", "why": "passport-altered"},
    "work_permit.eligible": {"why": ""},
    "work_permit.ineligible": {"why": "parole-ending"},
    "programme.suspended": {},
    "programme.resumed": {},
    "programme.terminated": {"parole_ends_on": "2025-04-24"},
    "programme.cap": {"places": 30000},
    "programme.rules_adopted": {"rules": "2023-01-06"},
}


def _message(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    about = {"programme": "venezuela-air"} if name.startswith("programme.") else {"case": _CASE}
    return {**about, "message": name, **fields}


def _fields(name: str) -> Mapping[str, Any]:
    """What stands above, else what operators are shown to start from."""
    if name in _FIELDS:
        return _FIELDS[name]
    kind = WIRE[name][0]
    shown = next((each.example for each in registry.signals()[name] if each.example), {})
    return {field: value for field, value in shown.items() if field in kind.model_fields}


MESSAGES: Final[Mapping[str, Mapping[str, Any]]] = {name: _message(name, _fields(name)) for name in WIRE}
"""Kind of message to an example of it."""
