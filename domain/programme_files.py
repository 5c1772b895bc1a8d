"""The programmes of a family, as the folders `programmes/<id>/` of its package hold them, checked against the family.

A folder holds `programme.toml`, `words.<language>.toml` and the rule sets, `sets/<version>.toml`.
"""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError

from domain.kernel.family import Family, ProgrammeDefinition
from domain.kernel.ids import Prefix, ProgrammeId
from domain.kernel.rule_set import RuleSet, check_rule_set, first_fault, parse_rule_set

LANGUAGES: Final = ("en", "es")


class _Head(BaseModel):
    """What `programme.toml` says."""

    model_config = ConfigDict(extra="forbid")

    prefix: Prefix
    opens_at: AwareDatetime


_ID: Final[TypeAdapter[str]] = TypeAdapter(ProgrammeId)
_WORDS: Final[TypeAdapter[dict[str, str]]] = TypeAdapter(dict[str, str])


def programmes_of(family: Family) -> list[ProgrammeDefinition]:
    """Every programme of a family, by id.

    Raises:
        ValueError: a file is malformed or does not fit the family; says which file, which key and why.
    """
    folder = resources.files(family.package) / "programmes"
    return [_programme(family, each) for each in sorted(folder.iterdir(), key=lambda each: each.name) if each.is_dir()]


def rule_set_of(family: Family, programme: str, toml: str) -> RuleSet:
    """A rule set of a programme from its TOML text, checked against the programme's family.

    Raises:
        ValueError: it is no rule set, another programme's, or does not fit the family; says which key and why.
    """
    try:
        rules = parse_rule_set(toml)
    except ValidationError as invalid:
        raise ValueError(first_fault(invalid)) from None
    if rules.programme != programme:
        raise ValueError(f"programme: names {rules.programme} instead of {programme}")
    check_rule_set(rules, {rule.name: rule.parameters for rule in family.rules.values()}, family.lengths)
    return rules


def _programme(family: Family, folder: Traversable) -> ProgrammeDefinition:
    name = f"{family.package}/programmes/{folder.name}"
    with _naming(name):
        _ID.validate_python(folder.name)
    with _naming(f"{name}/programme.toml"):
        head = _Head.model_validate(tomllib.loads((folder / "programme.toml").read_text("utf-8")))
    return ProgrammeDefinition(
        id=folder.name,
        family=family,
        prefix=head.prefix,
        opens_at=head.opens_at,
        words={language: _words(name, folder / f"words.{language}.toml") for language in LANGUAGES},
        sets=_sets(name, family, folder),
    )


def _words(name: str, file: Traversable) -> Mapping[str, str]:
    with _naming(f"{name}/{file.name}"):
        return _WORDS.validate_python(tomllib.loads(file.read_text("utf-8")))


def _sets(name: str, family: Family, folder: Traversable) -> Mapping[str, RuleSet]:
    found = {}
    files = [file for file in (folder / "sets").iterdir() if file.name.endswith(".toml")]
    for file in sorted(files, key=lambda each: each.name):
        with _naming(f"{name}/sets/{file.name}"):
            rules = rule_set_of(family, folder.name, file.read_text("utf-8"))
            if file.name != f"{rules.version}.toml":
                raise ValueError(f"version: the file of {rules.version} has this name")
        found[rules.version] = rules
    return found


@contextmanager
def _naming(file: str) -> Iterator[None]:
    """Put the file before what is wrong with it."""
    try:
        yield
    except ValidationError as invalid:
        raise ValueError(f"{file}: {first_fault(invalid)}") from None
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None
