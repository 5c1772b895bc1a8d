"""The rule on entry into Mexico: who needs proof, what was declared, and which documents are strong.

A day is the local calendar day of the crossing, as written with its offset.
"""

from collections.abc import Iterable
from datetime import date, datetime

from domain.humanitarian_parole.application import Document, Entry
from domain.humanitarian_parole.stages.filing import Filed, application_of, beneficiary_of
from domain.humanitarian_parole.world import World
from domain.kernel.case import Case
from domain.kernel.definition import (
    Stage,
    Words,
    rule,
)
from domain.kernel.events import RuleResult
from domain.kernel.referrals import OFFICER_APPROVED, OFFICERS_DENIED
from domain.kernel.rule_set import RuleParameters

RULE = "mexico-entry"
STRONG_KINDS = frozenset({"passport_stamp", "fmm", "fmmd"})
"""A `tvrh` rests on a declaration of its holder, `other` on nothing known."""


class MexicoEntry(RuleParameters):
    """The first day on which an entry into Mexico is too late."""

    before: date


def latest_mexican_entry(case: Case) -> Entry | None:
    """The latest entry into Mexico that was declared."""
    entries = [entry for entry in application_of(case).entries if entry.country == "MEX"]
    return max(entries, key=lambda entry: entry.entered_at, default=None)


def cutoff(world: World) -> date:
    """The first day on which an entry is too late."""
    """The first day that is too late: none where a set adopted since the question was put does not ask for proof."""
    if RULE not in world.rules.rules:
        return date.max
    return world.rules.of(RULE, MexicoEntry).before


def is_strong(document: Document, cutoff: date) -> bool:
    """Proves entry before the cutoff; a document issued later proves presence, not entry."""
    return (
        document.kind in STRONG_KINDS
        and document.entered_on is not None
        and document.issued_on is not None
        and document.entered_on < cutoff
        and document.issued_on < cutoff
    )


def any_strong(documents: Iterable[Document], cutoff: date) -> bool:
    """Whether one of `documents` proves entry before the cutoff."""
    return any(is_strong(document, cutoff) for document in documents)


def needs_proof(case: Case, world: World) -> bool:
    """Only a beneficiary who is in Mexico needs to prove when they entered it, where the rules ask for it."""
    return RULE in world.rules.rules and beneficiary_of(case).located_in == "MEX"


def mexico_entry_as_declared(case: Case, world: World) -> RuleResult:
    """What was declared does not itself say that the latest entry was too late."""
    declared = latest_mexican_entry(case)
    if not needs_proof(case, world):
        because, passed = "not-in-mexico", True
    elif declared is None:
        because, passed = "no-entry-declared", True
    else:
        passed = declared.entered_at.date() < cutoff(world)
        because = "declared-before-cutoff" if passed else "declared-on-or-after-cutoff"
    return mexico_entry(case, passed=passed, because=because)


def mexico_entry_at(case: Case, entered_at: datetime, world: World) -> RuleResult:
    """The entry that Mexican records hold is before the cutoff."""
    passed = entered_at.date() < cutoff(world)
    return mexico_entry(case, passed=passed, because="before-cutoff" if passed else "on-or-after-cutoff")


def mexico_entry(case: Case, *, passed: bool, because: str) -> RuleResult:
    """What the rule says of the case, on the documents that it has."""
    return RuleResult(
        rule=RULE,
        result="passed" if passed else "failed",
        because=because,
        facts=case.of(Filed).document_facts,
    )


STAGE = Stage(
    name=None,
    rules=(
        rule(
            RULE,
            Words("entry into Mexico", "ingreso a México"),
            {
                "not-in-mexico": Words("not in Mexico", "no está en México"),
                "no-entry-declared": Words("no entry was declared", "no declaró ingreso"),
                "declared-before-cutoff": Words("declared before the cutoff", "declarado antes de la fecha límite"),
                "declared-on-or-after-cutoff": Words(
                    "declared on or after the cutoff", "declarado en la fecha límite o después"
                ),
                "before-cutoff": Words("before the cutoff", "antes de la fecha límite"),
                "on-or-after-cutoff": Words("on or after the cutoff", "en la fecha límite o después"),
                "strong-document": Words("a strong document", "un documento sólido"),
                "officer-approved": OFFICER_APPROVED,
                "officer-denied": OFFICERS_DENIED,
            },
            mexico_entry_as_declared,
            "filing",
            parameters=MexicoEntry,
            facts=(
                "application.beneficiary.located_in",
                "application.entries",
                "application.documents",
                "documents",
                "entered_at",
            ),
        ),
    ),
)
