"""What the heads keep of a stream, for lists, pages and `Step`; written with each append, never folded from events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from domain.kernel.ids import Code
from domain.kernel.referrals import LIMIT as REFERRAL_LIMIT
from eventstore.places import Pool


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """What lists, pages, `Step` and the stuck query show of a case; written with each append, read from one row."""

    case_id: str
    programme: str
    rules_version: str
    stage: Code
    waiting_on: Code | None
    since: datetime
    """Since when it stands in this stage and waits on this."""
    filed_at: datetime
    due_name: Code | None = None
    due_at: datetime | None = None
    outcome: Code | None = None
    reason: Code | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else its family shows of it (`Family.facts`), as JSON has it."""
    flags: tuple[str, ...] = ()
    closed: bool = False
    held: bool = False
    """Any hold: by the programme, for a new supporter, for a changed passport."""
    overdue_since: datetime | None = None
    """When an officer's answer was due that has not come; it stays overdue until somebody acts."""

    @property
    def shown_due(self) -> tuple[Code, datetime] | None:
        """The limit that lists and pages show: the one that is overdue, else the next that runs."""
        if self.overdue_since is not None:
            return REFERRAL_LIMIT, self.overdue_since
        return None if self.due_name is None or self.due_at is None else (self.due_name, self.due_at)


@dataclass(frozen=True, slots=True)
class ProgrammeSummary:
    """The programme head."""

    programme: str
    status: Literal["open", "suspended", "terminated"]
    rules_version: str
    pools: Mapping[str, Pool]
    """Allotment to the pool that it draws on, whose cap an append sets only where `Append.caps` names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryFilter:
    """Which cases to list; None: no condition."""

    programme: str | None = None
    stage: Code | None = None
    waiting_on: Code | None = None
    outcome: Code | None = None
    open: bool | None = None
    limit: int | None = None
