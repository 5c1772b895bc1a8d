"""Whoever is shown what is personal is on record first: who, which case at which version, and why.

Every place that decrypts in order to show calls `record_view` before: `tests/unit/test_personal_reads.py` has them all.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from domain.access import PersonalDataViewed, ReasonCode
from domain.kernel.ids import CommandId
from domain.kernel.proof import Proof
from eventstore.access import AccessLog, AccessRecord

_REASON = TypeAdapter[str](ReasonCode)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and why."""

    proof: Proof
    because: str

    def __post_init__(self) -> None:
        """Raises pydantic.ValidationError where the reason is no code."""
        _REASON.validate_python(self.because)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is shown: a case as it stood."""

    programme: str
    case_id: str
    version: int


async def record_view(access: AccessLog, viewer: Viewer, seen: Seen, now: datetime) -> None:
    """Record one view. `now` is domain time. Raises StoreUnavailable: then nothing may be shown."""
    event = PersonalDataViewed(at=now, case=seen.case_id, because=viewer.because, case_version=seen.version)
    await access.record(
        AccessRecord(
            programme=seen.programme,
            command_id=CommandId(f"view:{secrets.token_hex(12)}"),
            proof=viewer.proof,
            events=(event,),
        )
    )
