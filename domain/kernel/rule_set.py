"""A rule set: one version of a programme's rules, as data, with a source for each and a digest over all of it.

A set says how many places there are and in which pool, how long each limit is, and which rules are tried, each with
its parameters, its words and its source. A rule that a set does not name is not tried under it, so a new rule stands
in new sets only and changes the digest of none that was adopted.
"""

import hashlib
import json
import tomllib
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from domain.kernel.ids import Code, ProgrammeId, RulesVersion

Days = Annotated[int, Field(ge=0, le=36_500)]
Parameters = TypeVar("Parameters", bound=BaseModel)


PAUSE_FLOOR: Final = "pause-floor"


class RuleParameters(BaseModel):
    """Base of what a rule reads from its table in a set; a rule without numbers has none."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class RuleText(BaseModel):
    """What one rule says, in both languages of the programme, and where it comes from; its parameters stand beside."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    en: Annotated[str, Field(min_length=1)]
    es: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    """A document, or "project decision" where no source was found."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Its numbers, dates and lists, by name."""
        return dict(self.model_extra or {})


class Cap(BaseModel):
    """How many places there are, of which pool, and in which period they are counted."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    allotment: Code
    """What the programme's cases take places of; most programmes have one."""
    pool: Code
    """What the allotment draws on. Programmes that name the same pool share it."""
    places: Annotated[int, Field(ge=0)]
    period: Literal["total", "month"]


class RuleSet(BaseModel):
    """One version of the rules. Every number that a rule uses stands here and nowhere else."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    programme: ProgrammeId
    version: RulesVersion
    title: str
    effective_at: AwareDatetime
    """When its source came into force; it is adopted by an act of the governments, never by this date."""
    applies_to_running: bool = False
    """Whether cases filed before its adoption follow it too."""
    caps: Annotated[tuple[Cap, ...], Field(min_length=1, max_length=20)]
    limits: Mapping[Code, Days]
    """The length of each limit, in days."""
    rules: Mapping[Code, RuleText]
    text: Annotated[str, Field(exclude=True)] = ""
    """The set as canonical JSON: what its digest covers, and what is kept where it was adopted."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of the whole set, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def places(self) -> int:
        """The places of its first cap, which for most programmes is the only one."""
        return self.caps[0].places

    @property
    def cap_period(self) -> Literal["total", "month"]:
        """The period of its first cap."""
        return self.caps[0].period

    def days(self, limit: str) -> int:
        """The length of a limit in days. Raises `KeyError` for one that the set does not name."""
        return self.limits[limit]

    def limit(self, limit: str) -> timedelta:
        """The length of a limit, in 24-hour days. Raises `KeyError` for one that the set does not name."""
        return timedelta(days=self.limits[limit])

    @property
    def pause_floor(self) -> timedelta:
        """What a paused limit has left at least when it goes on."""
        return self.limit(PAUSE_FLOOR)

    def of(self, rule: str, parameters: type[Parameters]) -> Parameters:
        """The parameters of `rule`. Raises `KeyError` for a rule that the set does not name."""
        cache: dict[str, Any] = self.__dict__.setdefault("_parameters", {})
        if rule not in cache:
            cache[rule] = parameters.model_validate(self.rules[rule].parameters)
        found: Parameters = cache[rule]
        return found


def parse_rule_set(toml: str) -> RuleSet:
    """A rule set from its TOML text.

    Raises:
        ValueError: the text is not TOML, a key is missing or unknown, or a rule has no source.
    """
    return _rule_set(json.loads(json.dumps(tomllib.loads(toml), default=str)))


def check_rule_set(rules: RuleSet, known: Mapping[str, type[RuleParameters]], lengths: Collection[str]) -> None:
    """Hold a set against a family: the rules that it knows, with their parameters, and the lengths that it reads.

    Raises:
        ValueError: the set gives a length or a parameter too few or too many, or names an unknown rule; says the key.
    """
    for name in sorted(rules.limits.keys() ^ set(lengths)):
        raise ValueError(f"limits.{name}: " + ("is missing" if name in lengths else "is no limit of this family"))
    for name, rule in rules.rules.items():
        if name not in known:
            raise ValueError(f"rules.{name}: is no rule of this family")
        for surplus in sorted(rule.parameters.keys() - known[name].model_fields.keys()):
            raise ValueError(f"rules.{name}.{surplus}: is no parameter of this rule")
        try:
            rules.of(name, known[name])
        except ValidationError as invalid:
            raise ValueError(f"rules.{name}.{first_fault(invalid)}") from None


def first_fault(invalid: ValidationError) -> str:
    """The key at which a set is invalid first, and why."""
    error = invalid.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"


def read_rule_set(text: str) -> RuleSet:
    """A rule set from its canonical JSON, as the record keeps it. Raises `ValueError` as `parse_rule_set`."""
    return _rule_set(json.loads(text))


def _rule_set(content: dict[str, Any]) -> RuleSet:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return RuleSet.model_validate({**content, "text": text})
