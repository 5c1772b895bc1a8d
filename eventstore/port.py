"""The port of the event store: what an append carries, what it re-checks under lock, and how it says no.

`postgres/` implements it; `tests/contract/` says what any implementation must do.
All moments are aware and in domain time (decision 7) but `recorded_at`, which is the machine's own clock.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

from domain.access import AccessEvent
from domain.kernel.events import CaseEvent
from domain.kernel.ids import Code, CommandId
from domain.kernel.programme import ProgrammeEvent
from domain.kernel.proof import Proof
from eventstore.access import AccessLog
from eventstore.format.envelope import NO_HASH
from eventstore.inbox import Inbox, InboxRow
from eventstore.places import PlaceChange
from eventstore.summary import CaseSummary, ProgrammeSummary, SummaryFilter
from eventstore.world import SupporterKeys, WorldQuery, WorldRead

MAX_EVENTS_PER_APPEND = 100
NOTIFICATIONS_RETURNED_MAX = 1000
"""More than these are left to the relay, which notifies the case of every row."""


class Stored(NamedTuple):
    """One event as read back: decoded, brought to the current schema version, and decrypted.

    `erased` is true where the case's key is destroyed: `event` then holds the stand-ins of `Personal`.
    `schema_version` is the one it was stored under.
    """

    stream: str
    version: int
    event_id: str
    type: str
    schema_version: int
    event: CaseEvent | ProgrammeEvent | AccessEvent
    happened_at: datetime
    recorded_at: datetime
    actor: str
    proof: str
    """By what the actor was known: a `Proof`, as text."""
    received_at: datetime | None
    command_id: str
    hash: bytes
    erased: bool


@dataclass(frozen=True, slots=True)
class Stream:
    """A whole stream in order. Version 0 and 32 zero bytes where nothing was appended yet."""

    events: tuple[Stored, ...] = ()
    version: int = 0
    hash: bytes = NO_HASH


@dataclass(frozen=True, slots=True)
class ReadAt:
    """The versions the world was read at, re-checked under lock. None and empty: not used by this decision."""

    programme_version: int | None = None
    person_versions: Mapping[bytes, int] = field(default_factory=lambda: MappingProxyType({}))
    """Lookup key of a person to the version of what is known under it; 0 = never seen."""


@dataclass(frozen=True, slots=True)
class Decides:
    """The inbox row that this append answers, and the answer; one commit with the events."""

    number: int
    answer: Literal["accepted", "rejected"]
    code: str | None = None


@dataclass(frozen=True, slots=True)
class OpenedCall:
    """A request to a partner that is owed (decision 6), with the attempts made so far."""

    request_id: str
    partner: Code
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Pending:
    """What waits for a case."""

    row: InboxRow | None
    """The undecided row with the lowest number."""
    calls: tuple[OpenedCall, ...]
    """As `EventStore.outstanding_calls`."""


@dataclass(frozen=True, slots=True)
class Look:
    """A case, what waits for it and the world around it, of one moment."""

    stream: Stream
    programme: str
    """That of the case or of its filing; empty where there is neither."""
    pending: Pending
    world: WorldRead
    """The answer to the `WorldQuery` of this case and programme and nothing else."""


@dataclass(frozen=True, slots=True)
class Notification:
    """An inbox row that an append wrote for a case, which is notified after the commit."""

    case_id: str
    number: int
    message_id: str
    """`<kind>:<number>`."""

    @property
    def kind(self) -> Literal["place.offered", "programme.changed"]:
        """The kind of the message: the two that an append can write."""
        return "place.offered" if self.message_id.startswith("place.offered:") else "programme.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Everything one decision changes, in one transaction and one round trip."""

    stream: str
    """The case id or the programme id."""
    programme: str
    command_id: CommandId
    message_digest: bytes
    """32 bytes over the command's content; `InboxRow.digest` for a message (keyed, so erasure reaches it)."""
    expected_version: int
    previous_hash: bytes
    events: tuple[CaseEvent | ProgrammeEvent, ...]
    """May be empty: a message to a closed case only decides its inbox row."""
    proof: Proof
    """By what whoever caused it was known. The recorded actor follows from it."""
    received_at: datetime | None = None
    """Of the message that it answers."""
    now: datetime
    """Domain time of the decision; the `received_at` of the notifications it writes."""
    rules_digest: str | None = None
    summary: CaseSummary | ProgrammeSummary | None = None
    """Required with events, and without them where a limit changed; the head keeps its summary where this is None."""
    read_at: ReadAt = ReadAt()
    persons: tuple[bytes, ...] = ()
    """Lookup keys of the beneficiary to register for this case, at filing and when the passport changes."""
    supporter: SupporterKeys | None = None
    """The supporter to register for this case; former supporters stay registered."""
    place: PlaceChange | None = None
    caps: tuple[str, ...] = ()
    """Programme streams: the pools of the summary whose cap this append sets; that of a new pool is set in any case."""
    decides: Decides | None = None
    deadline: datetime | None = None
    """A deadline's own moment: refused while an undecided inbox row of the case was received before it."""
    calls: tuple[OpenedCall, ...] = ()
    drops_calls: tuple[str, ...] = ()
    """Request ids that are no longer owed."""
    notifies: Literal["all", "waiting"] | None = None
    """Programme streams: notify all open cases, or those held or that may hold a limit which a suspension pauses."""


@dataclass(frozen=True, slots=True)
class Appended:
    """`first_result` is false where this command had been appended before: then this is that append's result."""

    version: int
    hash: bytes
    first_result: bool = True
    notifications: tuple[Notification, ...] = ()
    """At most `NOTIFICATIONS_RETURNED_MAX`; the relay notifies the rest."""
    pending: Pending | None = None
    """What then waits for the case, messages left out that came in meanwhile: their cases are notified. None, so to be
    looked for, in a programme's stream, in what was appended before, and where the case itself was notified."""


class EventStore(Protocol):
    """The log, its heads, and what one transaction keeps with them."""

    @property
    def inbox(self) -> Inbox:
        """The inbox of the same database: a row is decided in the append that answers it."""
        ...

    @property
    def access(self) -> AccessLog:
        """The access log of the same database."""
        ...

    async def load(self, stream: str) -> Stream:
        """The whole stream; empty where it does not exist."""
        ...

    async def look(self, case_id: str, month: str) -> Look:
        """All that most decisions of a case need, in one round trip."""
        ...

    async def append(self, append: Append) -> Appended:
        """Append all or nothing; raises a `Conflict`, `CommandContentDiffers` or `IllegalAppend`."""
        ...

    async def erase(self, append: Append) -> Appended:
        """Append `PersonalDataErased` and delete the case's lookup keys, in one transaction; the key is the caller's.

        An erased case gives its first result again. Raises as `append`, and `ErasureRefused`.
        """
        ...

    async def read_world(self, query: WorldQuery) -> WorldRead:
        """What is known beyond the case, in one round trip."""
        ...

    async def summary(self, case_id: str) -> CaseSummary | None:
        """The head of the case; None where it was never filed."""
        ...

    async def programme(self, programme: str) -> ProgrammeSummary | None:
        """The head of the programme; None where it was never opened."""
        ...

    def summaries(self, where: SummaryFilter) -> AsyncIterator[CaseSummary]:
        """Cases in the order of their filing, read page by page."""
        ...

    async def outstanding_calls(self, case_id: str) -> tuple[OpenedCall, ...]:
        """Calls neither accepted by the partner nor dropped, oldest first."""
        ...

    async def mark_call(self, request_id: str, *, accepted: bool) -> None:
        """Count an attempt; with `accepted` the call is no longer outstanding."""
        ...

    def stuck_candidates(self) -> AsyncIterator[str]:
        """Every case that must have a running workflow, read page by page.

        That is an open one with a due moment, an untaken message, an outstanding call or a named wait; and a filing
        that is not taken yet.
        """
        ...
