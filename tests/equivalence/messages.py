"""Messages as they come on the wire, by what the case waits on; each function answers one message without its ids."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.equivalence import people
from tests.equivalence.people import Json, likely, pick

FLAGS = ("needs-review", "name_match", "Free text of a partner", "date", "entered-on", "-dash", "name_match")
OFFICERS = ("officer-1", "officer-2")


def _flags(random: Random) -> list[str]:
    return random.sample(FLAGS, random.randrange(4))


def sponsor(random: Random) -> Json:
    kind = pick(random, {"confirmed": 82, "needs_review": 10, "not_confirmed": 8})
    extra: Json = {"flags": _flags(random)} if kind == "needs_review" else {}
    return {"message": f"sponsor.{kind}", **extra, **({"why": "unknown"} if kind == "not_confirmed" else {})}


def entry(random: Random) -> Json:
    kind = pick(random, {"matched": 55, "not_found": 32, "mismatch": 13})
    if kind == "mismatch":
        return {"message": "entry.mismatch", "fields": _flags(random)}
    if kind == "not_found":
        return {"message": "entry.not_found"}
    extra: Json = {}
    if likely(random, 0.4):
        extra["entered_at"] = random.choice(
            ["2022-09-01T10:00:00-05:00", "2022-09-01T10:00:00-05:00", "2022-10-11T23:59:00-06:00", "2022-10-12T00:00Z"]
        )
    if likely(random, 0.3):
        extra |= {"manner": random.choice(["regular", "regular", "irregular"]), "place": "Tuxtla"}
    return {"message": "entry.matched", **extra}


def vetting(random: Random) -> Json:
    kind = pick(random, {"cleared": 80, "referred": 10, "hit": 10})
    if kind == "cleared":
        dated = random.choice(["2016-01-01", "2017-10-20", "2017-10-21", "2021-01-01"])
        findings = [{"kind": "removal_order", "dated": dated}] if likely(random, 0.12) else []
        return {"message": "vetting.cleared", "findings": findings}
    extra: Json = {"flags": _flags(random)} if kind == "referred" else {"kind": random.choice(FLAGS)}
    return {"message": f"vetting.{kind}", **extra}


def officer(random: Random) -> Json:
    name = random.choice(OFFICERS)
    if likely(random, 0.4):
        return {"message": "officer.confirmed", "officer": name}
    decision = pick(random, {"approve": 55, "deny": 45})
    return {"message": "officer.decided", "officer": name, "decision": decision, "why": random.choice(["", "seen"])}


def evidence(random: Random) -> Json:
    return {"message": "evidence.submitted", "documents": people.documents(random, 0.6, 0.5)}


def replacement(random: Random) -> Json:
    return {"message": "sponsor.replaced", "supporter": people.supporter(random)}


def passport_change(random: Random) -> Json:
    surnames = random.choice([None, "Rojas Pérez"])
    return {"message": "passport.changed", "passport": people.passport(random), "surnames": surnames}


def arrival(random: Random) -> Json:
    if likely(random, 0.12):
        return {"message": "arrival.refused", "port": "MIA", "why": random.choice(["", "seen"])}
    until = str(date(2023, 6, 1) + timedelta(days=random.randrange(900)))
    extra: Json = {"until": until} if likely(random, 0.2) else {}
    return {"message": "arrival.paroled", "port": random.choice(["MIA", "JFK"]), **extra}


def extension(_random: Random) -> Json:
    return {"message": "authorization.extension_requested"}


def permit_application(_random: Random) -> Json:
    return {"message": "work_permit.applied"}


def permit(random: Random) -> Json:
    return {"message": f"work_permit.{pick(random, {'eligible': 75, 'ineligible': 25})}", "why": "seen"}


def crossing(random: Random) -> Json:
    now = f"2023-0{random.randrange(1, 10)}-02T10:00:00+00:00"
    return {"message": "border.irregular_crossing", **people.crossing(random, now)}


def withdrawal(_random: Random) -> Json:
    return {"message": "application.withdrawn"}


def sponsor_withdrawal(_random: Random) -> Json:
    return {"message": "sponsor.withdrew"}


def filing(random: Random) -> Json:
    return {"message": "application.submitted", "application": people.application(random)}


def place(random: Random) -> Json:
    return {"message": pick(random, {"place.offered": 70, "programme.changed": 30})}


def programme_changed(_random: Random) -> Json:
    return {"message": "programme.changed"}


Make = Callable[[Random], Json]

EXPECTED: dict[str | None, dict[Make, int]] = {
    "sponsor": {sponsor: 82, vetting: 5, sponsor_withdrawal: 4, passport_change: 3, arrival: 2, withdrawal: 1},
    "entry_records": {entry: 90, sponsor_withdrawal: 4, crossing: 2, passport_change: 2},
    "vetting": {vetting: 80, sponsor_withdrawal: 6, passport_change: 5, officer: 5, arrival: 2, crossing: 2},
    "applicant": {evidence: 55, replacement: 50, vetting: 4, arrival: 3, passport_change: 3, withdrawal: 2},
    "officer": {officer: 80, passport_change: 7, arrival: 5, vetting: 3, sponsor_withdrawal: 3, withdrawal: 1},
    "place": {place: 80, passport_change: 6, crossing: 3, sponsor_withdrawal: 6},
    "arrival": {arrival: 20, extension: 20, passport_change: 20, sponsor_withdrawal: 14, crossing: 3, withdrawal: 1},
    "work_permit_office": {permit: 85, sponsor_withdrawal: 5, permit_application: 5, crossing: 2},
    "parole_end": {permit_application: 60, sponsor_withdrawal: 5, crossing: 5, passport_change: 5, officer: 5},
    "programme": {
        programme_changed: 15, sponsor: 10, vetting: 15, entry: 3, officer: 12, passport_change: 12, crossing: 9,
        sponsor_withdrawal: 8, replacement: 5, arrival: 6, extension: 3,
    },
    None: {programme_changed: 40, vetting: 30, evidence: 10, replacement: 30},
}  # fmt: skip
"""By what the case waits on: who speaks next, with weights. Anybody may speak out of turn (`EVERY`)."""

EVERY: tuple[Make, ...] = tuple({make: None for expected in EXPECTED.values() for make in expected} | {filing: None})

SENDERS = {
    "sponsor.withdrew": "supporter",
    "authorization.extension_requested": "supporter",
    "application.submitted": "supporter",
    "sponsor.replaced": "applicant",
    "sponsor": "sponsor_registry",
    "entry": "entry_records",
    "vetting": "vetting",
    "officer": "officer",
    "arrival": "border",
    "border": "border",
    "place": "passage",
    "programme": "passage",
    "work_permit.eligible": "work_permit_office",
    "work_permit.ineligible": "work_permit_office",
}
"""By message, or by what its name begins with; everything else comes from the applicant."""

ANSWERS = {
    "sponsor.confirmed": "SponsorConfirmationRequested",
    "sponsor.not_confirmed": "SponsorConfirmationRequested",
    "sponsor.needs_review": "SponsorConfirmationRequested",
    "entry.matched": "EntryCheckRequested",
    "entry.not_found": "EntryCheckRequested",
    "entry.mismatch": "EntryCheckRequested",
    "vetting.cleared": "VettingRequested",
    "vetting.referred": "VettingRequested",
    "vetting.hit": "VettingRequested",
    "work_permit.eligible": "WorkPermitApplied",
    "work_permit.ineligible": "WorkPermitApplied",
}
"""By answer: the event whose request it belongs to."""


def sender(random: Random, kind: str) -> str:
    if kind == "application.withdrawn":
        return random.choice(["applicant", "supporter"])
    return SENDERS.get(kind) or SENDERS.get(kind.partition(".")[0]) or "applicant"


def malformed(random: Random, message: Json) -> Json:
    """The message with one thing that its contract refuses."""
    changes: list[dict[str, Any]] = [
        {"surplus": 1},
        {"message": "no.such_message"},
        {"port": "miami"},
        {"why": "x" * 2001},
        {"officer": "not a reference"},
        {"crossed_at": "2022-10-20T10:00:00"},
        {"request_id": ""},
    ]
    return {**message, **random.choice(changes)}


def government(random: Random, *, suspended: bool, versions: tuple[str, ...]) -> Json:
    """A message about the programme: most often what its state allows."""
    weights = {"suspended": 40, "resumed": 5, "terminated": 8, "cap": 10, "rules_adopted": 25}
    if suspended:
        weights |= {"suspended": 4, "resumed": 80}
    kind = pick(random, weights)
    extra: Json = {}
    if kind == "terminated":
        extra["parole_ends_on"] = str(date(2023, 1, 1) + timedelta(days=random.randrange(900)))
    if kind == "cap":
        extra["places"] = random.choice([0, 1, 24_000])
    if kind == "rules_adopted":
        extra["rules"] = random.choice(versions)
    return {"message": f"programme.{kind}", **extra}
