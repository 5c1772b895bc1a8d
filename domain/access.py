"""Who saw, exported or asked about which case, and what may not be erased yet. One stream a programme.

Nothing in these events is personal: a case is named by its id, a reason is a code, and who it was is the event's actor.
"""

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from domain.kernel.events import Frozen
from domain.kernel.ids import CaseId, Code

ReasonCode = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def access_stream(programme: str) -> str:
    """The stream of a programme's access events."""
    return f"access:{programme}"


class AccessEvent(Frozen):
    """Base of every event of an access stream."""

    SCHEMA_VERSION: ClassVar[int] = 1

    at: AwareDatetime
    case: CaseId


class PersonalDataViewed(AccessEvent):
    """Somebody asked to see what is personal in a case; recorded before it is shown."""

    because: ReasonCode
    case_version: int
    """The version of the case that was shown."""


class CaseExported(AccessEvent):
    """The whole case was exported as one archive; recorded before the archive is written."""

    because: ReasonCode
    case_version: int
    archive_sha256: Sha256


class BoardingChecked(AccessEvent):
    """A carrier asked whether the beneficiary may board."""

    answer: Code


class HistoryStored(AccessEvent):
    """The coordinator's own history of a run of the case was put away, so that it can be compared with the log."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
    history_sha256: Sha256
    history_bytes: int


class LegalHoldPlaced(AccessEvent):
    """The case must be kept: until the hold is released nothing of it is erased."""

    because: ReasonCode


class LegalHoldReleased(AccessEvent):
    """The case may be erased again."""

    because: ReasonCode


ACCESS_EVENTS: tuple[type[AccessEvent], ...] = tuple(AccessEvent.__subclasses__())
