"""What a decision needs beyond the case, read at versions that the append checks again under lock (decision 2)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.ids import CaseId
from domain.programme import Programme
from domain.rules.rule_set import RuleSet


@dataclass(frozen=True, slots=True)
class World:
    """The moment, the rules of the case, the programme, and what is known of the same and of related people."""

    now: datetime
    rules: RuleSet
    programme: Programme
    place: Literal["free", "none", "reserved"] = "none"
    """Whether a place is there for this case; `free` only if nobody waits before it."""
    same_person: tuple[CaseId, ...] = ()
    """Open cases of the same person that were filed before this one."""
    principal_open: bool = False
    """The principal's own case, if one is named, is filed and open."""
    earlier_supporter_cases: int = 0
    """Cases of the same supporter, open or closed, that were filed before this one."""
    shared_details: tuple[Literal["tax_id", "phone", "address"], ...] = ()
    """Details equal to a different supporter's in a case filed before this one."""
