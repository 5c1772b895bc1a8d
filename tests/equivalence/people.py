"""What is filed and sent, as JSON on the wire: mostly as it should be, seldom odd."""

from datetime import date, timedelta
from random import Random
from typing import Any

Json = dict[str, Any]

CASE = "VEN-7Q4K-M2XS"
OTHERS = ("VEN-GY9S-7S1N", "VEN-16JE-DXC3")

_BEFORE_CUTOFF = "2022-09-01T10:00:00-05:00"
_EARLY = ("2022-10-11T23:59:00-05:00", "2022-10-11T23:59:00+00:00", _BEFORE_CUTOFF, _BEFORE_CUTOFF)
_LATE = ("2022-10-12T00:00:00-05:00", "2022-10-12T03:00:00+00:00", "2022-10-25T10:00:00-05:00")
_NEAR_NOTICE = (
    "2022-10-12T23:59:00-05:00",
    "2022-10-13T00:00:00-05:00",
    "2022-10-19T23:59:00-05:00",
    "2022-10-20T00:00:00-05:00",
    "2022-11-02T10:00:00-05:00",
)
_BIRTHDAYS = ("2001-10-20", "2001-10-21", "2004-10-20", "2004-10-21", "2010-01-01", "2015-06-30")
"""With a filing at `stories.USUAL_START`: of age, or a day short of it."""
_LAPSED = ("2022-06-01", "2017-10-19", "2017-10-20", "2018-02-01")


def likely(random: Random, chance: float) -> bool:
    return random.random() < chance


def pick(random: Random, weights: dict[str, int]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]


def passport(random: Random) -> Json:
    fields: Json = {
        "number": f"P{random.randrange(1000)}",
        "issuing_country": "VEN",
        "issued_on": "2021-03-01",
        "expires_on": "2026-03-01",
    }
    oddity = pick(random, {"none": 80, "old": 5, "lapsed": 2, "foreign": 3, "extended": 5, "soon": 4, "ends": 1})
    extension = {"issued_on": random.choice(["2019-06-06", "2019-06-07"]), "expires_on": "2022-01-01"}
    changes: dict[str, Json] = {
        "none": {},
        "old": {"issued_on": random.choice(["2019-06-06", "2019-06-07"]), "expires_on": random.choice(_LAPSED)},
        "lapsed": {"expires_on": random.choice(["2022-10-19", "2022-10-20"])},
        "foreign": {"issuing_country": "COL", "extension": random.choice([None, extension])},
        "extended": {"extension": extension},
        "soon": {"expires_on": str(date(2022, 10, 12) + timedelta(days=random.randrange(200)))},
        "ends": {"expires_on": "9999-12-31", "issued_on": "2019-01-01"},
    }
    return {**fields, **changes[oddity]}


def supporter(random: Random) -> Json:
    number = random.randrange(4)
    return {
        "given_names": random.choice(["Luis", "Nora"]),
        "surnames": "Gómez",
        "birth_date": "1980-01-01",
        "tax_id": f"900-00-000{number}",
        "status": random.choice(["citizen", "permanent_resident", "parolee", "other"]),
        "organisation": random.choice([None, "A parish"]),
        "household_size": 2,
        "annual_income_usd": 60_000,
        "address": "1 Main St",
        "phone": f"+1-713-555-010{number}",
        "email": "someone@example.org",
    }


def document(random: Random, *, strong: bool) -> Json:
    fields: Json = {"kind": "fmm", "number": "A1", "entered_on": "2022-09-01", "issued_on": "2022-09-01"}
    if strong:
        return {**fields, "kind": random.choice(["passport_stamp", "fmm", "fmmd"])}
    weak: list[Json] = [
        {"kind": "tvrh"},
        {"kind": "other"},
        {"issued_on": "2022-10-12"},
        {"entered_on": "2022-10-12"},
        {"entered_on": None},
        {"issued_on": None, "place": "Tapachula"},
    ]
    return {**fields, **random.choice(weak)}


def documents(random: Random, strong: float, weak: float) -> list[Json]:
    found = [document(random, strong=False)] if likely(random, weak) else []
    return [*found, document(random, strong=True)] if likely(random, strong) else found


def _entry(country: str, entered_at: str, manner: str = "regular") -> Json:
    return {"country": country, "entered_at": entered_at, "place": "Tapachula", "manner": manner}


def _entries(random: Random, *, in_mexico: bool) -> list[Json]:
    found = []
    if likely(random, 0.15):
        found.append(_entry("MEX", "2022-05-05T10:00:00-05:00", random.choice(["regular", "irregular"])))
    if in_mexico:
        kind = pick(random, {"early": 80, "irregular": 8, "late": 4, "none": 8})
        if kind != "none":
            when = random.choice(_LATE if kind == "late" else _EARLY)
            found.append(_entry("MEX", when, "irregular" if kind == "irregular" else "regular"))
    if likely(random, 0.06):
        when = random.choice((*_NEAR_NOTICE, _BEFORE_CUTOFF))
        found.append(_entry(random.choice(["PAN", "USA", "COL"]), when, random.choice(["irregular", "regular"])))
    return found


def _beneficiary(random: Random) -> Json:
    fields: Json = {
        "given_names": "Ana",
        "surnames": "Rojas",
        "birth_date": "1990-05-14",
        "nationalities": ["VEN"],
        "passport": passport(random),
        "located_in": random.choice(["MEX", "MEX", "MEX", "COL", "VEN"]),
    }
    if likely(random, 0.12):
        fields["birth_date"] = random.choice(_BIRTHDAYS)
    if likely(random, 0.7 if fields["birth_date"] in _BIRTHDAYS else 0.02):
        relationship = random.choice(["parent", "legal_guardian", "parent", "legal_guardian", "relative"])
        evidence = {"parent": "birth_certificate", "legal_guardian": "court_order"}.get(relationship, "court_order")
        fields["guardian"] = {
            "relationship": relationship,
            "evidence": "power_of_attorney" if likely(random, 0.2) else evidence,
        }
    family = likely(random, 0.1)
    if likely(random, 0.6 if family else 0.04):
        elsewhere = random.choice(["nationalities", "permanent_resident_of", "refugee_in"])
        fields[elsewhere] = [*fields.get(elsewhere, []), "ESP"]
    if likely(random, 0.02):
        fields["nationalities"] = ["COL"]
    if family:
        principal = random.choice((*OTHERS, *OTHERS, *OTHERS, CASE))
        fields["travels_with"] = {
            "case": principal,
            "relationship": random.choice(["spouse", "partner", "child", "child"]),
        }
    return fields


def application(random: Random) -> Json:
    beneficiary = _beneficiary(random)
    return {
        "beneficiary": beneficiary,
        "entries": _entries(random, in_mexico=beneficiary["located_in"] == "MEX"),
        "documents": documents(random, 0.25, 0.25),
        "supporter": supporter(random),
    }


def crossing(random: Random, now: str) -> Json:
    when = random.choice((*_NEAR_NOTICE, _BEFORE_CUTOFF, now))
    return {"country": random.choice(["MEX", "PAN", "USA", "COL", "CRI"]), "crossed_at": when}
