"""What a decision needs to know beyond its own case."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SupporterKeys:
    """Lookup keys (`lookups.py`) of one supporter; None where the detail is empty."""

    person: bytes
    tax_id: bytes | None = None
    phone: bytes | None = None
    address: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldQuery:
    """What a decision needs to know beyond its own case; what is not asked for is neither read nor locked."""

    programme: str
    case_id: str
    month: str
    allotment: str | None = None
    """None: the one that the case waits for or holds, else the only one that its programme has."""
    quantity: int = 1
    """How many places it wants."""
    person_keys: tuple[bytes, ...] = ()
    supporter: SupporterKeys | None = None
    principal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldRead:
    """The answer to a `WorldQuery`, of one moment. "Earlier" is by the inbox number of the filing."""

    programme_version: int
    """0 where the programme was never opened."""
    place: Literal["free", "none", "reserved"]
    """`reserved`: so many are reserved for this case and the reservation is still good, or it holds its places."""
    places_left: int
    """How many this case could take now; 0 where it holds all that it wanted."""
    person_versions: Mapping[bytes, int]
    same_person: tuple[str, ...]
    """Open cases of the same person that were filed earlier, first filed first."""
    earlier_filing_pending: bool
    """A filing of the same person was received earlier and is not decided yet: it must be decided first."""
    principal_open: bool
    earlier_supporter_cases: int
    """Cases filed earlier, open or closed, that this supporter ever stood for."""
    shared_details: tuple[Literal["tax_id", "phone", "address"], ...]
    """Details equal to those of a different person who ever stood as supporter in a case filed earlier."""
