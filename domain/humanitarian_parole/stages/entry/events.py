"""What is recorded of the entry, and what a case remembers of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime

from domain.humanitarian_parole.application import Document, Manner, ShortText
from domain.kernel.events import CaseEvent, Personal
from domain.kernel.ids import Code, EventId, MessageId


class EntryProofNotRequired(CaseEvent):
    """The beneficiary is not in Mexico."""


class EntryCheckRequested(CaseEvent):
    """Mexican records were asked."""

    request_id: MessageId


class EntryVerified(CaseEvent):
    """The entry was before the cutoff."""

    by: Code
    """`records`, `document`, `evidence` or `officer`."""
    entered_at: Annotated[AwareDatetime | None, Personal(erased=None)] = None
    place: Annotated[ShortText | None, Personal(erased=None)] = None
    manner: Annotated[Manner | None, Personal(erased=None)] = None


class EntryRefused(CaseEvent):
    """The entry was not before the cutoff, or two officers refused it."""

    by_officer: bool = False
    entered_at: Annotated[AwareDatetime | None, Personal(erased=None)] = None
    manner: Annotated[Manner | None, Personal(erased=None)] = None


class EvidenceRequested(CaseEvent):
    """The applicant is asked for proof of entry, within the evidence limit from `at`."""

    fact: EventId | None = None
    """The event that recorded the records' answer."""


class EvidenceReceived(CaseEvent):
    """The applicant sent documents; weak ones leave the limit standing."""

    strong: bool
    documents: Annotated[tuple[Document, ...], Personal(erased=())]


class EvidenceDeadlinePassed(CaseEvent):
    """The limit for evidence ended with nothing strong received before it."""


@dataclass(frozen=True)
class ProofOfEntry:
    """How far the entry is proved."""

    verified: bool = False
    asked: bool = False
    evidence_since: datetime | None = None
    """When evidence was asked for, while nothing strong has come."""
    evidence_taken: bool = False
    """Evidence may be sent: from the request for it until the entry is verified."""
    evidence_fact: EventId | None = None
    """The event that recorded the answer for which evidence was asked."""
