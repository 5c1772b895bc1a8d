"""What a decision of an air programme needs beyond its own case, and what a basis keeps of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from domain.kernel import decider
from domain.kernel.ids import CaseId

Detail = Literal["tax_id", "phone", "address"]


@dataclass(frozen=True, slots=True)
class World(decider.World):
    """The moment, the rules, the programme, the place, and what is known of the same and of related people."""

    same_person: tuple[CaseId, ...] = ()
    """Open cases of the same person that were filed before this one."""
    principal_open: bool = False
    """The principal's own case, if one is named, is filed and open."""
    earlier_supporter_cases: int = 0
    """Cases of the same supporter, open or closed, that were filed before this one."""
    shared_details: tuple[Detail, ...] = ()
    """Details equal to a different supporter's in a case filed before this one."""

    def known(self) -> dict[str, Any]:
        """See base class."""
        found = {name: getattr(self, name) for name in _KNOWN}
        kept = {name: list(value) if isinstance(value, tuple) else value for name, value in found.items() if value}
        return {**decider.World.known(self), **kept}


_KNOWN = ("same_person", "principal_open", "earlier_supporter_cases", "shared_details")


def remembered(known: Mapping[str, Any]) -> dict[str, Any]:
    """What a basis kept, as arguments of `World`."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}


Draft: TypeAlias = decider.Draft[World]
