"""The families and programmes that there are: the one place outside a family's folder that knows it.

Importing this module reads no file, so workflows may see it. A family of somebody else is found by the entry-point
group `passage.families`; its value is a `Family`, such as `refugees = "refugees.definition:FAMILY"`.
"""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from importlib import resources
from importlib.metadata import entry_points
from importlib.resources.abc import Traversable
from typing import Final

from domain.humanitarian_parole import definition as humanitarian_parole
from domain.kernel.definition import Family, ProgrammeDefinition, SignalDefinition, Stage
from domain.kernel.events import CaseEvent
from domain.kernel.ids import prefix_of
from domain.kernel.rule_set import RuleSet, parse_rule_set

GROUP: Final = "passage.families"

OUR_FAMILIES: Final = (humanitarian_parole.FAMILY,)


class UnknownProgramme(LookupError):
    """No family has a programme of this id, or none whose cases begin with this prefix."""


@lru_cache(maxsize=1)
def families() -> tuple[Family, ...]:
    """Every family: ours, then those of other distributions, by name.

    Raises:
        ValueError: two families have one name, or declare one event under one name.
    """
    found: list[Family] = [each.load() for each in sorted(entry_points(group=GROUP), key=lambda each: each.name)]
    every = (*OUR_FAMILIES, *found)
    if len({each.name for each in every}) < len(every):
        raise ValueError("two families have the same name")
    return every


@lru_cache(maxsize=1)
def case_events() -> tuple[type[CaseEvent], ...]:
    """Every event that a case of any family can have."""
    return tuple(dict.fromkeys(kind for family in families() for kind in family.handlers))


@lru_cache(maxsize=1)
def stages() -> Mapping[str, Stage]:
    """The stages that a case of any family can be in, `closed` apart, by name."""
    return {stage.name: stage for family in families() for stage in family.stages if stage.name}


@lru_cache(maxsize=1)
def signals() -> Mapping[str, tuple[SignalDefinition, ...]]:
    """Every kind of message of a case, by name: one definition a family that takes it."""
    names = dict.fromkeys(name for family in families() for name in family.signals)
    return {name: tuple(family.signals[name] for family in families() if name in family.signals) for name in names}


@lru_cache(maxsize=1)
def senders() -> tuple[str, ...]:
    """Everybody who may send a message, Passage itself apart; carriers ask about boarding."""
    said = [sender for found in signals().values() for each in found for sender in each.kind.SENDERS]
    boarding = ["carrier"] if any(family.may_travel for family in families()) else []
    everybody = dict.fromkeys([*partners(), *said, *boarding, "governments"])
    return tuple(sender for sender in everybody if sender != "passage")


@lru_cache(maxsize=1)
def partners() -> tuple[str, ...]:
    """The external checks of every family, by name."""
    return tuple(dict.fromkeys(name for family in families() for name in family.partners))


@lru_cache(maxsize=1)
def programmes() -> Mapping[str, ProgrammeDefinition]:
    """Every programme by its id, read from its family's folder once.

    Raises:
        ValueError: a file is malformed, or two programmes have one id or one prefix.
    """
    found = [each for family in families() for each in _programmes_of(family)]
    by_id = {each.id: each for each in found}
    if len(by_id) < len(found) or len({each.prefix for each in found}) < len(found):
        raise ValueError("two programmes have the same id or the same prefix")
    return by_id


def programme(programme_id: str) -> ProgrammeDefinition:
    """The programme of this id. Raises `UnknownProgramme`."""
    try:
        return programmes()[programme_id]
    except KeyError:
        raise UnknownProgramme(programme_id) from None


def programme_of(case_id: str) -> ProgrammeDefinition:
    """The programme that a case belongs to, by the prefix of its id. Raises `UnknownProgramme`."""
    prefix = prefix_of(case_id)
    for each in programmes().values():
        if each.prefix == prefix:
            return each
    raise UnknownProgramme(prefix)


def family_of(case_id: str) -> Family:
    """The family of the programme that a case belongs to. Raises `UnknownProgramme`."""
    return programme_of(case_id).family


def _programmes_of(family: Family) -> list[ProgrammeDefinition]:
    folder = resources.files(family.package) / "programmes"
    return [_programme(family, each) for each in sorted(folder.iterdir(), key=lambda each: each.name) if each.is_dir()]


def _programme(family: Family, folder: Traversable) -> ProgrammeDefinition:
    data = tomllib.loads((folder / "programme.toml").read_text("utf-8"))
    return ProgrammeDefinition(
        id=folder.name,
        family=family,
        prefix=data["prefix"],
        opens_at=datetime.fromisoformat(data["opens_at"]),
        words={language: tomllib.loads((folder / f"words.{language}.toml").read_text("utf-8")) for language in WORDS},
        sets=_sets(folder),
    )


WORDS: Final = ("en", "es")


def _sets(folder: Traversable) -> Mapping[str, RuleSet]:
    files = sorted((folder / "sets").iterdir(), key=lambda each: each.name)
    found = [parse_rule_set(each.read_text("utf-8")) for each in files if each.name.endswith(".toml")]
    for rules in found:
        if rules.programme != folder.name:
            raise ValueError(f"the set {rules.version} of {folder.name} names the programme {rules.programme}")
    return {rules.version: rules for rules in found}
