"""A rule set: parameters as data, a source for each rule, and a digest that every decision records (decision 10)."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property, lru_cache
from importlib import resources
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.messages import RulesVersion
from domain.vocabulary import Rule

Days = Annotated[int, Field(ge=0, le=36_500)]


class RuleText(BaseModel):
    """What one rule says, in both languages of the programme, and where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str
    es: str
    source: str
    """A document, or "project decision" where no source was found."""


class RuleSet(BaseModel):
    """One version of the rules. Every number a rule uses stands here and nowhere else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: RulesVersion
    title: str
    places: Annotated[int, Field(ge=0)]
    cap_period: Literal["total", "month"]
    applies_to_running: bool
    mexico_entry_before: date
    irregular_entry_after: date
    irregular_entry_countries: tuple[str, ...]
    passport_reform_on: date
    passport_extra_years: int
    adult_age_years: int
    child_age_years: int
    removal_order_years: int
    supporter_review_from_case: int
    evidence_limit_days: Days
    supporter_limit_days: Days
    referral_limit_days: Days
    pause_floor_days: Days
    authorization_days: Days
    extension_days: Days
    extension_notice_days: Days
    parole_days: Days
    parole_notice_days: Days
    rules: Mapping[Rule, RuleText]

    @model_validator(mode="after")
    def _every_rule_has_a_source(self) -> Self:
        missing = set(Rule.__args__) - set(self.rules)  # type: ignore[attr-defined]  # Literal's arguments are not typed
        if missing:
            raise ValueError(f"rule set {self.version} gives no text and source for {', '.join(sorted(missing))}")
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of what the set says, in hexadecimal.

        What it leaves to a default is not in it: a parameter that rules learn later does not change an adopted set.
        """
        content = json.dumps(
            self.model_dump(mode="json", exclude_unset=True), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def evidence_limit(self) -> timedelta:
        """The limit for evidence, in 24-hour days."""
        return timedelta(days=self.evidence_limit_days)

    @property
    def supporter_limit(self) -> timedelta:
        """The limit to name another supporter, in 24-hour days."""
        return timedelta(days=self.supporter_limit_days)

    @property
    def referral_limit(self) -> timedelta:
        """After this an unanswered referral escalates, in 24-hour days."""
        return timedelta(days=self.referral_limit_days)

    @property
    def pause_floor(self) -> timedelta:
        """What a paused limit has left at least when it goes on."""
        return timedelta(days=self.pause_floor_days)


RuleBook = Mapping[str, RuleSet]
"""Every rule set that can be in force, by version."""


def parse_rule_set(toml: str) -> RuleSet:
    """A rule set from its TOML text.

    Raises:
        ValueError: the text is not TOML, a key is missing or unknown, or a rule has no source.
    """
    return RuleSet.model_validate(tomllib.loads(toml))


@lru_cache(maxsize=1)
def bundled_rule_book() -> RuleBook:
    """The rule sets that come with the project (`domain/rules/sets/*.toml`)."""
    folder = resources.files("domain.rules") / "sets"
    found = (parse_rule_set(file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".toml"))
    return {rules.version: rules for rules in found}
