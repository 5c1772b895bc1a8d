"""Documents of a case: kept once, under the case's key, and found again by the hash of what they hold.

They are no events. What is said about them is (`Document` of an application, evidence); erasing a case deletes them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

DOCUMENT_MAX_BYTES: Final = 5 * 1024 * 1024
"""A passport page photographed by a telephone has two to four; the table holds no more."""
DOCUMENTS_MAX: Final = 20
"""Of one case: 100 MiB at most, from a link that somebody else got hold of."""


class TooManyDocuments(Exception):
    """The case has as many as it may; nothing was written. Never retried."""

    code = "too-many-documents"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDocument:
    """A document that came in."""

    case_id: str
    media_type: str
    content: bytes
    received_at: datetime
    """Domain time."""
    sender: str
    """Who delivered it, for the record; never a name."""


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """A document as it is kept: `reveal` shows it."""

    case_id: str
    digest: bytes
    media_type: str
    sealed: bytes


class ListedDocument(NamedTuple):
    """A document without what it holds."""

    sha256: str
    media_type: str
    size_bytes: int
    received_at: datetime
    sender: str
