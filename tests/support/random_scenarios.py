"""Any scenario at all, for laws: three cases in a small circle of people, partners of every mood, any order.

Everything is drawn from one seed, evenly, so that cases come far enough for something to happen to them; Hypothesis
finds the seed, and shortens the timeline of a scenario that breaks a law.
"""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from simulation.format.scenario import Scenario

START = datetime(2022, 10, 20, 14, tzinfo=UTC)
UNTIL = datetime(2025, 3, 1, tzinfo=UTC)
NAMES = ("a", "b", "c")
LONGEST = 30

_SUPPORTERS = tuple(
    {
        "given_names": f"Supporter {number}",
        "surnames": "Gómez",
        "birth_date": date(1980, 1, number),
        "tax_id": f"900-00-000{number}",
        "status": "citizen",
        "household_size": 2,
        "annual_income_usd": 60_000,
        "address": f"{number} Main St",
        "phone": "+1-713-555-0100" if number > 4 else f"+1-713-555-000{number}",
        "email": "someone@example.org",
    }
    for number in range(1, 7)
)
_STAMP = {"kind": "fmm", "number": "A1", "entered_on": date(2022, 9, 1), "issued_on": date(2022, 9, 1)}
_WEAK = {"kind": "tvrh", "number": "T1", "entered_on": date(2022, 9, 1), "issued_on": date(2022, 9, 1)}
_ORDER = {"kind": "removal_order", "dated": date(2020, 1, 1)}
_FACTS = (
    "border.irregular_crossing",
    "arrival.refused",
    "sponsor.not_confirmed",
    "sponsor.needs_review",
    "entry.not_found",
    "vetting.hit",
)
_AS_USUAL: dict[str, Any] = {}
_EARLY, _LATE = datetime(2022, 9, 1, 15, tzinfo=UTC), datetime(2022, 10, 25, 15, tzinfo=UTC)


def _passport(random: Random) -> dict[str, Any]:
    usual = [date(2030, 1, 1)] * 12
    return {
        "number": f"P-{random.randrange(30)}",
        "issuing_country": "VEN",
        "issued_on": date(2020, 1, 1),
        "expires_on": random.choice([*usual, date(2022, 10, 1), date(2022, 11, 15), date.max]),
    }


def _beneficiary(random: Random, name: str) -> dict[str, Any]:
    """Somebody eligible, or odd in one thing."""
    others = [other for other in NAMES if other != name]
    with_whom = {"case": random.choice(others), "relationship": random.choice(["spouse", "child"])}
    oddities: list[dict[str, Any]] = [
        {"given_names": "Ana"},
        {"birth_date": date(2010, 1, 1)},
        {"birth_date": date(2010, 1, 1), "guardian": {"relationship": "parent", "evidence": "birth_certificate"}},
        {"nationalities": ("COL",)},
        {"nationalities": ("VEN", "ESP")},
        {"nationalities": ("VEN", "ESP"), "travels_with": with_whom},
        {"nationalities": ("VEN", "ESP"), "travels_with": with_whom, "birth_date": date(2001, 11, 20)},
    ]
    usual = {
        "given_names": name,
        "surnames": "Rojas",
        "birth_date": date(1990, 5, 14),
        "nationalities": ("VEN",),
        "passport": _passport(random),
        "located_in": random.choice(["COL", "MEX"]),
    }
    return {**usual, **random.choice([_AS_USUAL] * 12 + oddities)}


def _entries(random: Random) -> tuple[dict[str, Any], ...]:
    """Crossings that are declared, some irregular or too late."""
    return tuple(
        {
            "country": random.choice(["MEX", "MEX", "PAN"]),
            "entered_at": random.choice([_EARLY] * 9 + [_LATE]),
            "place": "Tapachula",
            "manner": random.choice(["regular", "regular", "irregular"]),
        }
        for _ in range(random.randrange(3))
    )


def _documents(random: Random) -> tuple[dict[str, Any], ...]:
    return tuple(random.choice([_STAMP, _WEAK]) for _ in range(random.randrange(2)))


def _partners(random: Random) -> dict[str, Any]:
    """How the partners answer: mostly well and soon, else otherwise, late or never, and after failures."""
    usual = {
        "sponsor_registry": {"answer": "sponsor.confirmed"},
        "entry_records": {"answer": "entry.matched"},
        "vetting": {"answer": "vetting.cleared"},
        "work_permit_office": {"answer": "work_permit.eligible"},
    }
    oddities: list[dict[str, Any]] = [
        {"sponsor_registry": {"answer": "sponsor.not_confirmed"}},
        {"sponsor_registry": {"answer": "sponsor.needs_review"}},
        {"sponsor_registry": {"answer": "none"}},
        {"entry_records": {"answer": "entry.not_found"}},
        {"entry_records": {"answer": "entry.mismatch", "fields": ("name",)}},
        {"entry_records": {"answer": "entry.matched", "entered_at": _LATE}},
        {"vetting": {"answer": "vetting.hit"}},
        {"vetting": {"answer": "vetting.cleared", "findings": (_ORDER,)}},
        {"vetting": {"answer": "none"}},
        {"work_permit_office": {"answer": "work_permit.ineligible"}},
    ]
    answers = {**usual, **random.choice([_AS_USUAL] * 6 + oddities)}
    return {
        partner: {
            **said,
            "after": timedelta(hours=random.choice([0, 1, 24, 72, 120])),
            "fail": random.choice([0] * 9 + [2]),
        }
        for partner, said in answers.items()
    }


def _to_case(random: Random) -> dict[str, Any]:
    """A message to a case, of any kind."""
    officer = random.choice(["o-1", "o-2", "o-3", "o-4"])
    decided = {"message": "officer.decided", "officer": officer, "why": random.choice(["", "seen", "seen", "seen"])}
    referral = random.choice([None, None, 1, 2])
    crossed_into = random.choice(["PAN"] + ["COL"] * 4)
    until = random.choice([None, None, date(2023, 1, 1), date.min, date.max])
    said: list[dict[str, Any]] = [
        {"message": "sponsor.confirmed"},
        {"message": "sponsor.withdrew"},
        *[{"message": "sponsor.replaced", "supporter": random.choice(_SUPPORTERS)}] * 3,
        {"message": "entry.not_found"},
        *[{"message": "evidence.submitted", "documents": _documents(random)}] * 2,
        {"message": "passport.changed", "passport": _passport(random)},
        {"message": "vetting.cleared"},
        {"message": "vetting.hit"},
        {"message": "sponsor.not_confirmed", "why": random.choice(["means", "deceased", "deceased"])},
        {"message": "sponsor.needs_review"},
        *[{**decided, "decision": random.choice(["approve", "deny"]), "referral": referral}] * 4,
        *[{"message": "officer.confirmed", "officer": officer, "referral": referral}] * 4,
        {"message": "officer.reconsidered", "officer": officer, "why": "seen"},
        {"message": "border.irregular_crossing", "country": crossed_into, "crossed_at": _LATE},
        {"message": "authorization.extension_requested"},
        {"message": "travel.boarding_check"},
        {"message": "arrival.paroled", "port": "MIA", "until": until},
        {"message": "work_permit.applied"},
        random.choice([{"message": "application.withdrawn"}, {"message": "arrival.refused", "port": "MIA"}]),
    ]
    return {**random.choice(said), "case": random.choice(NAMES)}


def _about_facts(random: Random) -> dict[str, Any]:
    """Reports that may be taken back, and what officers say: little else, so that cases close for them and reopen."""
    officer = random.choice(["o-1", "o-2", "o-3", "o-4"])
    said: list[dict[str, Any]] = [
        {"message": "border.irregular_crossing", "country": "PAN", "crossed_at": _LATE},
        {"message": "arrival.refused", "port": "MIA"},
        {"message": "sponsor.not_confirmed", "why": random.choice(["means", "deceased"])},
        *[{"message": "vetting.hit"}] * 2,
        *[{"message": "officer.decided", "officer": officer, "why": "seen", "decision": "deny"}] * 2,
        {"message": "officer.decided", "officer": officer, "why": "seen", "decision": "approve"},
        *[{"message": "officer.confirmed", "officer": officer}] * 3,
        *[{"message": "officer.reconsidered", "officer": officer, "why": "seen"}] * 2,
        {"message": "travel.boarding_check"},
    ]
    return {**random.choice(said), "case": random.choice(NAMES)}


def _to_programme(random: Random, *, caps: bool) -> dict[str, Any]:
    """A message of the governments; without `caps` none that changes how many places there are."""
    pauses: list[dict[str, Any]] = [{"message": "programme.suspended"}, {"message": "programme.resumed"}]
    others: list[dict[str, Any]] = [
        {"message": "programme.cap", "places": random.randrange(4)},
        {"message": "programme.rules_adopted", "rules": random.choice(["2022-10-12", "2022-10-19", "2023-01-06"])},
        {"message": "programme.terminated", "parole_ends_on": random.choice([date(2023, 1, 31), date.min, date.max])},
    ]
    return random.choice(pauses * 3 + others if caps else pauses)


def _timeline(random: Random, length: int, *, caps: bool) -> tuple[dict[str, Any], ...]:
    """Messages at any time and in any order, some twice, and some taken back."""
    to_case, length = random.choice([(_to_case, length), (_about_facts, length // 2)])
    said = [
        {
            **(_to_programme(random, caps=caps) if random.random() < 0.15 else to_case(random)),
            "at": START + timedelta(hours=random.randrange(24 * random.choice([10, 30, 60, 130]))),
            "deliver": random.choice([1, 1, 2]),
        }
        for _ in range(length)
    ]
    facts = [item for item in said if item["message"] in _FACTS]
    for number, item in enumerate(facts):
        item["id"] = f"m-{number}"
    taken_back = random.sample(facts, random.randrange(len(facts) + 1)) if random.random() < 0.8 else []
    return (*said, *(_retraction(random, item) for item in taken_back))


def _retraction(random: Random, fact: dict[str, Any]) -> dict[str, Any]:
    """Now and then before the fact, or by somebody else."""
    at = fact["at"] + timedelta(hours=random.choice([-1, 1, 24, 24 * 5, 24 * 35]))
    sender = {"from": "vetting"} if random.random() < 0.1 else {}
    return {"message": "fact.retracted", "case": fact["case"], "of": fact["id"], "at": at, **sender}


def _application(random: Random, name: str) -> dict[str, Any]:
    return {
        "filed_at": START + timedelta(hours=random.choice([0, 0, 0, 1, 24 * 8, 24 * 40])),
        "beneficiary": _beneficiary(random, name),
        "entries": _entries(random),
        "documents": _documents(random),
        "supporter": random.choice(_SUPPORTERS),
        "partners": _partners(random),
    }


@st.composite
def scenarios(draw: st.DrawFn, *, caps: bool = True) -> Scenario:
    """A scenario over three cases and few places."""
    random = Random(draw(st.integers(0, 2**32)))  # noqa: S311  # nothing here is secret, and a seed must say it all
    return Scenario.model_validate(
        {
            "scenario": "any",
            "programme": "venezuela-air",
            "rules": random.choice(["2022-10-19", "2023-01-06"]),
            "places": random.choice([0, 1, 1, 2, 3]),
            "until": UNTIL,
            "applications": {name: _application(random, name) for name in NAMES},
            "timeline": _timeline(random, draw(st.integers(0, LONGEST).map(lambda each: LONGEST - each)), caps=caps),
        }
    )
