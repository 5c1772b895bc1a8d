"""What the store in memory keeps beside its rows."""

from dataclasses import dataclass
from datetime import datetime

from eventstore.port import OpenedCall
from eventstore.summary import CaseSummary


@dataclass(slots=True)
class MemoryCase:
    """The head of a case."""

    summary: CaseSummary
    filed_number: int
    deadline_applied: datetime | None = None

    @property
    def turn(self) -> tuple[datetime, int]:
        """Who has stood longest where it stands comes first."""
        return self.summary.since, self.filed_number

    @property
    def may_pause(self) -> bool:
        """It is held, or may have a limit that a suspension pauses."""
        concerned = self.summary.held or self.summary.waiting_on in ("programme", "applicant")
        return concerned or self.summary.stage == "travel_authorization"


@dataclass(slots=True)
class MemoryCall:
    """A call to a partner, owed until accepted or dropped."""

    case_id: str
    call: OpenedCall
    owed: bool = True
