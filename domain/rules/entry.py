"""Rules on entries: proof of entry into Mexico before the cutoff, and no irregular entry after the notice.

A day is the local calendar day of the crossing, as written with its offset.
"""

from collections.abc import Iterable
from datetime import datetime

from domain.application import Document, Entry
from domain.case import Case
from domain.events import RuleResult
from domain.rules.rule_set import RuleSet
from domain.world import World

STRONG_KINDS = frozenset({"passport_stamp", "fmm", "fmmd"})
"""A `tvrh` rests on a declaration of its holder, `other` on nothing known."""


def latest_mexican_entry(case: Case) -> Entry | None:
    """The latest entry into Mexico that was declared."""
    entries = [entry for entry in case.require_application().entries if entry.country == "MEX"]
    return max(entries, key=lambda entry: entry.entered_at, default=None)


def in_time(entered_at: datetime, rules: RuleSet) -> bool:
    """Whether an entry into Mexico on that local calendar day is before the cutoff."""
    return entered_at.date() < rules.mexico_entry_before


def is_strong(document: Document, rules: RuleSet) -> bool:
    """Proves entry before the cutoff; a document issued later proves presence, not entry."""
    return (
        document.kind in STRONG_KINDS
        and document.entered_on is not None
        and document.issued_on is not None
        and document.entered_on < rules.mexico_entry_before
        and document.issued_on < rules.mexico_entry_before
    )


def any_strong(documents: Iterable[Document], rules: RuleSet) -> bool:
    """Whether one of `documents` proves entry before the cutoff."""
    return any(is_strong(document, rules) for document in documents)


def needs_proof(case: Case) -> bool:
    """Only a beneficiary who is in Mexico needs to prove when they entered it."""
    return case.require_beneficiary().located_in == "MEX"


def mexico_entry_as_declared(case: Case, world: World) -> RuleResult:
    """What was declared does not itself say that the latest entry was too late."""
    declared = latest_mexican_entry(case)
    if not needs_proof(case):
        because, passed = "not-in-mexico", True
    elif declared is None:
        because, passed = "no-entry-declared", True
    else:
        passed = in_time(declared.entered_at, world.rules)
        because = "declared-before-cutoff" if passed else "declared-on-or-after-cutoff"
    return _mexico_entry(case, passed=passed, because=because)


def mexico_entry_at(case: Case, entered_at: datetime, world: World) -> RuleResult:
    """The entry that Mexican records hold is before the cutoff."""
    passed = in_time(entered_at, world.rules)
    return _mexico_entry(case, passed=passed, because="before-cutoff" if passed else "on-or-after-cutoff")


def mexico_entry_by_document(case: Case) -> RuleResult:
    """A strong document shows the entry."""
    return _mexico_entry(case, passed=True, because="strong-document")


def mexico_entry_by_officer(case: Case, *, approved: bool) -> RuleResult:
    """An officer judged the entry."""
    return _mexico_entry(case, passed=approved, because="officer-approved" if approved else "officer-denied")


def _mexico_entry(case: Case, *, passed: bool, because: str) -> RuleResult:
    return RuleResult(
        rule="mexico-entry",
        result="passed" if passed else "failed",
        because=because,
        facts=case.document_facts,
    )


def irregular_entry(case: Case, world: World) -> RuleResult:
    """No irregular entry, declared or reported, into the countries named, after the day of the rule set."""
    declared = [
        entry
        for entry in case.require_application().entries
        if entry.manner == "irregular" and _too_late(entry.country, entry.entered_at, world.rules)
    ]
    reported = [c for c in case.crossings if _too_late(c.country, c.crossed_at, world.rules)]
    because = "declared-after-notice" if declared else "reported-after-notice" if reported else "none-after-notice"
    return RuleResult(
        rule="irregular-entry",
        result="failed" if declared or reported else "passed",
        because=because,
        facts=(*case.document_facts[:1], *(crossing.fact for crossing in reported)),
    )


def _too_late(country: str, crossed_at: datetime, rules: RuleSet) -> bool:
    return country in rules.irregular_entry_countries and crossed_at.date() > rules.irregular_entry_after
