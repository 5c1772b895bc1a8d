"""What `audit reconcile` compares and what it can find."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class Found(StrEnum):
    """The kinds of finding; `docs/audit.md` tells an auditor what each means. A code never changes its meaning."""

    COMMAND_WITHOUT_EVENTS = "command-without-events"
    EVENT_WITHOUT_COMMAND = "event-without-command"
    INBOX_ROW_MISSING = "inbox-row-missing"
    ANSWER_DIFFERS = "answer-differs"
    OUTCOME_DIFFERS = "outcome-differs"
    OPEN_ONLY_IN_TEMPORAL = "open-only-in-temporal"
    OPEN_ONLY_IN_LOG = "open-only-in-log"
    RUN_MISSING = "run-missing"
    HISTORY_UNREADABLE = "history-unreadable"
    KEPT_HISTORY_EDITED = "kept-history-edited"

    FORK_AFTER_RESET = "fork-after-reset"
    NO_HISTORY = "no-history"


NOTICES: Final = frozenset({Found.FORK_AFTER_RESET, Found.NO_HISTORY})
"""What an auditor should know and is no fault: operators may reset, and cases closed before histories were kept."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `detail` holds ids, codes and numbers, never anything personal."""

    code: Found
    case_id: str
    detail: str
    version: int | None = None

    @property
    def is_fault(self) -> bool:
        """It is not as it must be; else it is worth knowing."""
        return self.code not in NOTICES

    @property
    def line(self) -> str:
        """One line for people."""
        where = self.case_id if self.version is None else f"{self.case_id}:{self.version}"
        return f"{self.code}  {where}  {self.detail}"

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "code": str(self.code),
            "case_id": self.case_id,
            "version": self.version,
            "fault": self.is_fault,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event, as far as it is compared."""

    version: int
    type: str
    command_id: str
    recorded_at: datetime
    outcome: str | None = None
    """Of a `CaseClosed`."""


@dataclass(frozen=True, slots=True)
class InboxAnswer:
    """An inbox row, as far as it is compared."""

    source: str
    message_id: str
    answer: str | None
    code: str | None

    @property
    def command_id(self) -> str:
        """That of the events it caused."""
        return f"{self.source}:{self.message_id}"


@dataclass(frozen=True, slots=True)
class LoggedCase:
    """A case in the log, read after its histories; `version_before` and `closed_before` were read before them."""

    case_id: str
    version_before: int
    closed_before: bool
    events: tuple[LoggedEvent, ...]
    rows: dict[int, InboxAnswer]
    """By number."""
    elsewhere: frozenset[tuple[str, str]] = frozenset()
    """(source, message id) of messages that are in the inbox of another case."""

    @property
    def closing(self) -> LoggedEvent | None:
        """The event that closed it; None where it was opened again since."""
        return self.closing_at(self.events[-1].version) if self.events else None

    def closing_at(self, version: int) -> LoggedEvent | None:
        """The event that closed it, as it stood at this version; None where it was open."""
        either = ("CaseClosed", "CaseReopened")
        latest = next((e for e in reversed(self.events) if e.version <= version and e.type in either), None)
        return latest if latest is not None and latest.type == "CaseClosed" else None
