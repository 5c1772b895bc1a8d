"""What each rule of a rule set uses: its parameters, and the facts of a case that it looks at."""

from collections.abc import Mapping
from typing import Any, Final

from domain.rules.rule_set import RuleBook, RuleSet
from domain.vocabulary import Rule

PARAMETERS: Final[Mapping[Rule, tuple[str, ...]]] = {
    "supporter": ("supporter_review_from_case",),
    "nationality": (),
    "sole-nationality": ("child_age_years",),
    "passport-validity": ("passport_reform_on", "passport_extra_years"),
    "minor-guardian": ("adult_age_years",),
    "one-active-case": (),
    "mexico-entry": ("mexico_entry_before",),
    "irregular-entry": ("irregular_entry_after", "irregular_entry_countries"),
    "removal-order": ("removal_order_years",),
    "vetting": (),
}
"""By rule: the parameters of the rule set that decide it."""

LIMITS: Final[Mapping[str, tuple[str, ...]]] = {
    "EvidenceRequested": ("evidence_limit_days",),
    "EvidenceDeadlinePassed": ("evidence_limit_days",),
    "ReferralEscalated": ("referral_limit_days",),
    "SponsorWithdrew": ("supporter_limit_days",),
    "TravelAuthorized": ("authorization_days",),
    "TravelAuthorizationExtended": ("extension_days", "extension_notice_days"),
    "TravelAuthorizationExpired": ("authorization_days",),
    "ParoleGranted": ("parole_days",),
    "ParoleEnding": ("parole_notice_days",),
}
"""By type of event: the limits of the rule set that it follows from."""

_BENEFICIARY: Final = "application.beneficiary."
FACTS: Final[Mapping[Rule, tuple[str, ...]]] = {
    "supporter": ("application.supporter", "supporter"),
    "nationality": (_BENEFICIARY + "nationalities",),
    "sole-nationality": (
        *(_BENEFICIARY + name for name in ("nationalities", "permanent_resident_of", "refugee_in", "birth_date")),
        _BENEFICIARY + "travels_with",
    ),
    "passport-validity": (_BENEFICIARY + "passport", "passport"),
    "minor-guardian": (_BENEFICIARY + "birth_date", _BENEFICIARY + "guardian"),
    "one-active-case": (),
    "mexico-entry": (
        _BENEFICIARY + "located_in",
        "application.entries",
        "application.documents",
        "documents",
        "entered_at",
    ),
    "irregular-entry": ("application.entries", "country", "crossed_at"),
    "removal-order": ("findings",),
    "vetting": ("findings", "by_officer"),
}
"""By rule: where in an event what it looks at stands; an event has some of these."""


def rule_set_of(book: RuleBook, digest: str) -> RuleSet | None:
    """The rule set with this digest; None where this program does not have it."""
    return next((rules for rules in book.values() if rules.digest == digest), None)


def values_of(rules: RuleSet, names: tuple[str, ...]) -> dict[str, Any]:
    """Those parameters, as JSON has them."""
    return rules.model_dump(mode="json", include=set(names))


def picked(event: Mapping[str, Any], rule: Rule) -> dict[str, Any]:
    """Of an event as JSON: what the rule looks at, by where it stands."""
    found: dict[str, Any] = {}
    for path in FACTS[rule]:
        value: Any = event
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None and value not in ([], ""):
            found[path] = value
    return found
