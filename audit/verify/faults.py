"""What `verify` can find: one stable code for each kind of fault. A code never changes its meaning."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Code(StrEnum):
    """The kinds of fault; `docs/audit.md` tells an auditor what each means."""

    BODY_EDITED = "body-edited"
    COLUMN_EDITED = "column-edited"
    HEADER_EDITED = "header-edited"
    HEADER_MALFORMED = "header-malformed"
    CHAIN_BROKEN = "chain-broken"
    EVENT_REWRITTEN = "event-rewritten"
    EVENT_MOVED = "event-moved"
    EVENT_REORDERED = "event-reordered"
    EVENT_DELETED = "event-deleted"
    EVENT_INSERTED = "event-inserted"
    EVENT_UNREADABLE = "event-unreadable"
    EVENT_FOREIGN = "event-foreign"
    STREAM_UNKNOWN = "stream-unknown"
    TAIL_TRUNCATED = "tail-truncated"
    CASE_REMOVED = "case-removed"

    HEAD_DIFFERS = "head-differs"
    HEAD_MISSING = "head-missing"
    SUMMARY_EDITED = "summary-edited"
    PROGRAMME_SUMMARY_EDITED = "programme-summary-edited"
    LEGAL_HOLD_DIFFERS = "legal-hold-differs"
    WAITING_LIST_DIFFERS = "waiting-list-differs"
    HISTORY_EDITED = "history-edited"
    HISTORY_DELETED = "history-deleted"
    HISTORY_INSERTED = "history-inserted"
    PLACES_MISCOUNTED = "places-miscounted"
    CAP_EXCEEDED = "cap-exceeded"
    STAGE_SKIPPED = "stage-skipped"
    KEY_DIFFERS = "key-differs"
    DECISION_DIFFERS = "decision-differs"
    BOARDING_DIFFERS = "boarding-differs"
    RESERVATION_DIFFERS = "reservation-differs"
    LOOKUP_MISSING = "lookup-missing"
    LOOKUP_NOT_ERASED = "lookup-not-erased"
    CALL_DIFFERS = "call-differs"
    FILING_ORDER_EDITED = "filing-order-edited"
    DEADLINE_EDITED = "deadline-edited"
    INBOX_EDITED = "inbox-edited"
    INBOX_MISSING = "inbox-missing"
    ANSWER_WITHOUT_EVENT = "answer-without-event"
    NOTIFICATION_MISSING = "notification-missing"
    SCHEMA_DIFFERS = "schema-differs"
    ROWS_HIDDEN = "rows-hidden"

    CHECK_LATE = "check-late"
    SEAL_LATE = "seal-late"
    SEAL_QUEUE_EDITED = "seal-queue-edited"
    LEAF_MISSING = "leaf-missing"
    LEAF_MOVED = "leaf-moved"
    TILE_EDITED = "tile-edited"
    TILE_MISSING = "tile-missing"
    CHECKPOINT_FORGED = "checkpoint-forged"
    CHECKPOINT_DIFFERS = "checkpoint-differs"
    CHECKPOINT_MISSING = "checkpoint-missing"
    TIME_DIFFERS = "time-differs"
    MAP_SEAL_EDITED = "map-seal-edited"
    MAP_SEAL_DIFFERS = "map-seal-differs"
    LOG_TRUNCATED = "log-truncated"
    LOG_RESTORED = "log-restored"
    LOG_FORKED = "log-forked"


EVENT_CODES: Final = frozenset(tuple(Code)[: tuple(Code).index(Code.HEAD_DIFFERS)])
"""Those that mean that the events themselves are not what was written."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, where it stands; `detail` never holds anything personal."""

    code: Code
    stream: str | None = None
    version: int | None = None
    detail: str = ""

    @property
    def line(self) -> str:
        """One line for people."""
        where = self.stream or "log"
        if self.version is not None:
            where = f"{where}:{self.version}"
        return f"{self.code}  {where}  {self.detail}".rstrip()

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"code": str(self.code), "stream": self.stream, "version": self.version, "detail": self.detail}


class Faults:
    """Counts faults by code and passes each on at once: a log may have a million of them."""

    def __init__(self, tell: Callable[[Fault], None]) -> None:
        self._tell = tell
        self.counts: Counter[Code] = Counter()

    def add(self, code: Code, stream: str | None = None, version: int | None = None, detail: str = "") -> None:
        """Note one."""
        self.counts[code] += 1
        self._tell(Fault(code, stream, version, detail))

    @property
    def total(self) -> int:
        """How many there were."""
        return self.counts.total()
