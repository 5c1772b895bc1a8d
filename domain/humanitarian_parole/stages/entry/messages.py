"""What Mexican records are asked, what they answer, and the evidence that an applicant sends."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from domain.humanitarian_parole.application import Beneficiary, Document, Entry, Manner, ShortText
from domain.kernel.messages import Flags, Message, PartnerAnswer, PartnerCheck

PARTNER = "entry_records"


class EntryCheck(PartnerCheck):
    """Do your records show the entries that this beneficiary declares and documents?"""

    beneficiary: Beneficiary
    entries: Annotated[tuple[Entry, ...], Field(max_length=100)]
    documents: Annotated[tuple[Document, ...], Field(max_length=100)]

    @property
    def subject(self) -> str:
        """The number of the beneficiary's passport."""
        return self.beneficiary.passport.number


class EntryMatchedAnswer(PartnerAnswer):
    """Mexican records know the entry; what they leave out is as declared."""

    SENDERS = (PARTNER,)
    message: Literal["entry.matched"] = "entry.matched"
    entered_at: AwareDatetime | None = None
    place: ShortText | None = None
    manner: Manner | None = None


class EntryNotFoundAnswer(PartnerAnswer):
    """Mexican records do not know the entry."""

    SENDERS = (PARTNER,)
    message: Literal["entry.not_found"] = "entry.not_found"


class EntryMismatchAnswer(PartnerAnswer):
    """Mexican records say otherwise than the applicant."""

    SENDERS = (PARTNER,)
    message: Literal["entry.mismatch"] = "entry.mismatch"
    fields: Flags = ()


class EvidenceSubmission(Message):
    """The applicant sends proof of entry."""

    SENDERS = ("applicant",)
    message: Literal["evidence.submitted"] = "evidence.submitted"
    documents: Annotated[tuple[Document, ...], Field(max_length=100)]
