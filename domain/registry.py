"""The families and programmes that there are: the one place outside a family's folder that knows it.

Importing this module reads no file, so workflows may see it. A family of somebody else is found by the entry-point
group `passage.families`; its value is a `Family`, such as `refugees = "refugees.definition:FAMILY"`.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Final

from domain.humanitarian_parole import definition as humanitarian_parole
from domain.kernel.definition import PartnerDefinition, SignalDefinition, Stage
from domain.kernel.events import CaseEvent
from domain.kernel.family import Family, ProgrammeDefinition
from domain.kernel.ids import prefix_of
from domain.programme_files import programmes_of

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
    _once((each.name, each.package) for each in every)
    _once((kind.__name__, kind.__module__) for kind in dict.fromkeys(kind for each in every for kind in each.handlers))
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
def inbox_only() -> frozenset[str]:
    """Kinds whose content is personal: a direct signal can only tell of such a message that is in the inbox already."""
    return frozenset(name for name, found in signals().items() if any(each.example is None for each in found))


@lru_cache(maxsize=1)
def gateway_only() -> frozenset[str]:
    """Kinds that no direct signal can bring: people prove who they are to the gateway, Passage speaks for itself."""
    never = {"officer", "governments", "passage"}
    return frozenset(name for name, found in signals().items() if any(never & {*each.kind.SENDERS} for each in found))


@lru_cache(maxsize=1)
def senders() -> tuple[str, ...]:
    """Everybody who may send a message, Passage itself apart; carriers ask about boarding."""
    said = [sender for found in signals().values() for each in found for sender in each.kind.SENDERS]
    boarding = ["carrier"] if any(family.may_travel for family in families()) else []
    everybody = dict.fromkeys([*partners(), *said, *boarding, "governments"])
    return tuple(sender for sender in everybody if sender != "passage")


def partner(name: str) -> PartnerDefinition:
    """The external check of this name. Raises `KeyError` for one that no family has."""
    return next(family.partners[name] for family in families() if name in family.partners)


@lru_cache(maxsize=1)
def partners() -> tuple[str, ...]:
    """The external checks of every family, by name."""
    return tuple(dict.fromkeys(name for family in families() for name in family.partners))


@lru_cache(maxsize=1)
def programmes() -> Mapping[str, ProgrammeDefinition]:
    """Every programme by its id, read from its family's folder once.

    Raises:
        ValueError: a file is malformed or does not fit its family, or two programmes have one id or one prefix.
    """
    found = [each for family in families() for each in programmes_of(family)]
    _once((each.id, each.family.package) for each in found)
    _once((each.prefix, each.id) for each in found)
    return {each.id: each for each in found}


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


def _once(names: Iterable[tuple[str, str]]) -> None:
    """Each name is one thing's only. Raises `ValueError`, which says what else has it."""
    holders: dict[str, str] = {}
    for name, holder in names:
        if name in holders:
            raise ValueError(f"{name} is the name of two: in {holders[name]} and in {holder}")
        holders[name] = holder
