"""What comes from outside: one class a kind of message, with the fields and the senders of the contract.

A message is never an instruction: it says what its sender knows or asks, and the case decides what follows.
`Personal` fields never leave the inbox and the event store in clear.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from domain.application import Application, Country, Document, Manner, Name, Passport, ShortText, Supporter
from domain.ids import MessageId

FreeText = Annotated[str, StringConstraints(max_length=2000)]
Flag = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Flags = Annotated[tuple[Flag, ...], Field(max_length=20)]
OfficerRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""An officer's staff reference, never a name."""
Port = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
RulesVersion = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]

Sender = Literal[
    "sponsor_registry",
    "entry_records",
    "vetting",
    "work_permit_office",
    "border",
    "carrier",
    "officer",
    "applicant",
    "supporter",
    "governments",
    "passage",
]


class Message(BaseModel):
    """Base of every message. `SENDERS` may send it; anyone else is refused before the case sees it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    SENDERS: ClassVar[tuple[Sender, ...]]


class PartnerAnswer(Message):
    """An answer to a request of ours. It belongs to that request and to no other.

    `request_id` names it; without one the answer belongs to the request that is open now.
    """

    request_id: MessageId | None = None


class ApplicationSubmitted(Message):
    """A supporter files for a beneficiary."""

    SENDERS = ("supporter",)
    message: Literal["application.submitted"] = "application.submitted"
    application: Application


class SponsorConfirmedAnswer(PartnerAnswer):
    SENDERS = ("sponsor_registry",)
    message: Literal["sponsor.confirmed"] = "sponsor.confirmed"


class SponsorNotConfirmedAnswer(PartnerAnswer):
    SENDERS = ("sponsor_registry",)
    message: Literal["sponsor.not_confirmed"] = "sponsor.not_confirmed"
    why: FreeText = ""


class SponsorNeedsReviewAnswer(PartnerAnswer):
    SENDERS = ("sponsor_registry",)
    message: Literal["sponsor.needs_review"] = "sponsor.needs_review"
    flags: Flags = ()


class SponsorWithdrewNotice(Message):
    SENDERS = ("supporter",)
    message: Literal["sponsor.withdrew"] = "sponsor.withdrew"


class SponsorReplacement(Message):
    SENDERS = ("applicant",)
    message: Literal["sponsor.replaced"] = "sponsor.replaced"
    supporter: Supporter


class EntryMatchedAnswer(PartnerAnswer):
    """Mexican records know the entry; what they leave out is as declared."""

    SENDERS = ("entry_records",)
    message: Literal["entry.matched"] = "entry.matched"
    entered_at: AwareDatetime | None = None
    place: ShortText | None = None
    manner: Manner | None = None


class EntryNotFoundAnswer(PartnerAnswer):
    SENDERS = ("entry_records",)
    message: Literal["entry.not_found"] = "entry.not_found"


class EntryMismatchAnswer(PartnerAnswer):
    SENDERS = ("entry_records",)
    message: Literal["entry.mismatch"] = "entry.mismatch"
    fields: Flags = ()


class EvidenceSubmission(Message):
    SENDERS = ("applicant",)
    message: Literal["evidence.submitted"] = "evidence.submitted"
    documents: Annotated[tuple[Document, ...], Field(max_length=100)]


class WithdrawalRequest(Message):
    SENDERS = ("applicant", "supporter")
    message: Literal["application.withdrawn"] = "application.withdrawn"


class PassportChange(Message):
    SENDERS = ("applicant",)
    message: Literal["passport.changed"] = "passport.changed"
    passport: Passport
    surnames: Name | None = None


class Finding(BaseModel):
    """Something vetting found that a rule judges."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["removal_order"]
    dated: date


class VettingClearedAnswer(PartnerAnswer):
    SENDERS = ("vetting",)
    message: Literal["vetting.cleared"] = "vetting.cleared"
    findings: Annotated[tuple[Finding, ...], Field(max_length=20)] = ()


class VettingReferredAnswer(PartnerAnswer):
    SENDERS = ("vetting",)
    message: Literal["vetting.referred"] = "vetting.referred"
    flags: Flags = ()


class VettingHitAnswer(PartnerAnswer):
    """Somebody of that description is on a list: suspicion, which only an officer may weigh."""

    SENDERS = ("vetting",)
    message: Literal["vetting.hit"] = "vetting.hit"
    kind: Flag = "hit"


class OfficerDecision(Message):
    SENDERS = ("officer",)
    message: Literal["officer.decided"] = "officer.decided"
    officer: OfficerRef
    decision: Literal["approve", "deny"]
    why: FreeText = ""


class OfficerConfirmation(Message):
    SENDERS = ("officer",)
    message: Literal["officer.confirmed"] = "officer.confirmed"
    officer: OfficerRef


class IrregularCrossingReport(Message):
    SENDERS = ("border",)
    message: Literal["border.irregular_crossing"] = "border.irregular_crossing"
    country: Country
    crossed_at: AwareDatetime


class ExtensionRequest(Message):
    SENDERS = ("supporter",)
    message: Literal["authorization.extension_requested"] = "authorization.extension_requested"


class ArrivalParoled(Message):
    SENDERS = ("border",)
    message: Literal["arrival.paroled"] = "arrival.paroled"
    port: Port
    by: Literal["air"] = "air"
    until: date | None = None


class ArrivalRefused(Message):
    SENDERS = ("border",)
    message: Literal["arrival.refused"] = "arrival.refused"
    port: Port
    why: FreeText = ""


class WorkPermitApplication(Message):
    SENDERS = ("applicant",)
    message: Literal["work_permit.applied"] = "work_permit.applied"


class WorkPermitEligibleAnswer(PartnerAnswer):
    SENDERS = ("work_permit_office",)
    message: Literal["work_permit.eligible"] = "work_permit.eligible"
    why: FreeText = ""


class WorkPermitIneligibleAnswer(PartnerAnswer):
    SENDERS = ("work_permit_office",)
    message: Literal["work_permit.ineligible"] = "work_permit.ineligible"
    why: FreeText = ""


class PlaceOffered(Message):
    """A freed or new place is reserved for this case, the head of the waiting list (decision 11)."""

    SENDERS = ("passage",)
    message: Literal["place.offered"] = "place.offered"


class ProgrammeChanged(Message):
    """The programme was suspended, resumed, terminated, or its rules or places changed: look again."""

    SENDERS = ("passage",)
    message: Literal["programme.changed"] = "programme.changed"


Answer = (
    SponsorConfirmedAnswer
    | SponsorNotConfirmedAnswer
    | SponsorNeedsReviewAnswer
    | EntryMatchedAnswer
    | EntryNotFoundAnswer
    | EntryMismatchAnswer
    | VettingClearedAnswer
    | VettingReferredAnswer
    | VettingHitAnswer
    | WorkPermitEligibleAnswer
    | WorkPermitIneligibleAnswer
)
"""A partner's answer to a request of ours."""

Report = (
    ApplicationSubmitted
    | SponsorWithdrewNotice
    | SponsorReplacement
    | EvidenceSubmission
    | WithdrawalRequest
    | PassportChange
    | OfficerDecision
    | OfficerConfirmation
    | IrregularCrossingReport
    | ExtensionRequest
    | ArrivalParoled
    | ArrivalRefused
    | WorkPermitApplication
    | PlaceOffered
    | ProgrammeChanged
)
"""What nobody asked for."""

CaseMessage = Annotated[Answer | Report, Field(discriminator="message")]


class ProgrammeSuspension(Message):
    SENDERS = ("governments",)
    message: Literal["programme.suspended"] = "programme.suspended"


class ProgrammeResumption(Message):
    SENDERS = ("governments",)
    message: Literal["programme.resumed"] = "programme.resumed"


class ProgrammeTermination(Message):
    SENDERS = ("governments",)
    message: Literal["programme.terminated"] = "programme.terminated"
    parole_ends_on: date


class CapChange(Message):
    SENDERS = ("governments",)
    message: Literal["programme.cap"] = "programme.cap"
    places: Annotated[int, Field(ge=0, le=10**9)]


class RulesAdoption(Message):
    SENDERS = ("governments",)
    message: Literal["programme.rules_adopted"] = "programme.rules_adopted"
    rules: RulesVersion


GovernmentsMessage = ProgrammeSuspension | ProgrammeResumption | ProgrammeTermination | CapChange | RulesAdoption

ProgrammeMessage = Annotated[GovernmentsMessage, Field(discriminator="message")]

PARTNER_ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="message")])
CASE_MESSAGE: TypeAdapter[Answer | Report] = TypeAdapter(CaseMessage)
PROGRAMME_MESSAGE: TypeAdapter[GovernmentsMessage] = TypeAdapter(ProgrammeMessage)
