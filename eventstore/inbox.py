"""The inbox (decision 4): every message from outside is a numbered row before anything else happens.

A row is decided once, in the transaction that appends what follows from it. A signal only says that it is there.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from domain.kernel.proof import Proof

Answer = Literal["accepted", "rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A message as the gateway, an activity or the command line hands it over."""

    source: str
    """Who it came from, one of `domain.messages.Sender`."""
    message_id: str
    """The sender's own id; the same source and id is the same message."""
    case_id: str | None
    """For a filing, drawn by the caller; None for a message to the programme."""
    programme: str | None
    """Required for a filing and for a message to the programme."""
    body: Any
    """A message of `domain.messages`; its `message` literal is the row's kind."""
    received_at: datetime
    """Domain time at which it came in."""
    proof: Proof
    """By what its sender was known, as whoever received it found; never taken from the message."""
    person_keys: tuple[bytes, ...] = ()
    """A filing's lookup keys of the beneficiary, so that a later filing of the same person waits for this one."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender is told. The same message again gives the first receipt, with the answer once there is one."""

    number: int
    stream: str
    """The case id, or the programme id."""
    case_id: str | None
    message_id: str
    first: bool
    received_at: datetime
    """Never before a deadline that the case had already applied when the row was committed, nor before a message of
    the stream with a lower number."""
    answer: Answer | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A row as the activity takes it; numbers are in commit order within a stream."""

    number: int
    stream: str
    case_id: str | None
    programme: str
    source: str
    message_id: str
    kind: str
    body: Any
    """The message, decrypted and validated."""
    digest: bytes
    """32 bytes over the body, keyed by the case's key: the `message_digest` of the append that decides it."""
    received_at: datetime
    proof: Proof


@dataclass(frozen=True, slots=True)
class UnnotifiedMessage:
    """A row whose case is to be notified: `case_id` None is a message to the programme."""

    number: int
    stream: str
    case_id: str | None
    message_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An undecided row as it is shown to an operator: without its content."""

    number: int
    kind: str
    source: str
    received_at: datetime


class MessageContentDiffers(Exception):
    """Alarm: a message id came again with another body. The first stands; nothing was written."""

    code = "message-content-differs"


class UnknownStream(Exception):
    """No such case (or programme): nothing was written. To be answered as not found, never retried."""

    code = "unknown-case"


class Inbox(Protocol):
    """Numbered messages and what is undecided."""

    async def receive(self, incoming: Incoming) -> Receipt:
        """Write the row, durably, or give the first receipt of the same message.

        Raises:
            MessageContentDiffers: the same source and id with another body.
            UnknownStream: a message to a case that was never filed or a programme that was never opened.
            KeyDestroyed: the case's personal data was erased; it can take nothing more.
        """
        ...

    async def next_undecided(self, stream: str) -> InboxRow | None:
        """The undecided row of the case or programme with the lowest number."""
        ...

    async def get(self, source: str, message_id: str) -> Receipt | None:
        """The receipt of a message, with its answer once there is one."""
        ...

    async def has_undecided(self, case_id: str, kinds: Collection[str] | None = None) -> bool:
        """Whether a row is undecided, of these kinds if they are named: what a boarding check asks."""
        ...

    async def waiting(self, stream: str, limit: int) -> tuple[Waiting, ...]:
        """The undecided rows of the case or programme, lowest number first, at most `limit`."""
        ...

    async def claim_notifications(self, limit: int) -> tuple[UnnotifiedMessage, ...]:
        """Undecided rows never notified, or notified over 30 s ago, lowest first; marked as notified now.

        Two relays never claim the same row; a relay that dies after claiming costs 30 s.
        """
        ...

    async def mark_notified(self, numbers: Iterable[int]) -> None:
        """The caller notified these itself."""
        ...
