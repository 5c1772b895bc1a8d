"""What happened in a case: past tense, frozen, stored for ever.

A stored name, version or field never changes its meaning; a new meaning is a new version with an upcaster
(`eventstore/format/upcast.py`). `at` is when it happened. Fields marked `Personal` are encrypted under the case's key.
A decision event carries its `basis`: the rules tried, what each said, and the events whose facts it used.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.application import (
    ERASED_APPLICATION,
    ERASED_PASSPORT,
    ERASED_SUPPORTER,
    Application,
    Country,
    Document,
    Manner,
    Name,
    Passport,
    ShortText,
    Supporter,
)
from domain.ids import CaseId, EventId, MessageId
from domain.messages import Finding, Flag, FreeText, OfficerRef, Port, RulesVersion
from domain.personal import Personal
from domain.vocabulary import Outcome, Partner, Question, Reason, Rule

ERASED_MOMENT = "0001-01-01T00:00:00+00:00"


class Frozen(BaseModel):
    """Frozen, nothing unknown, and errors that never repeat the input (decision 8)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RuleResult(Frozen):
    """One rule tried: what it said, why in a code, and the events whose facts it used."""

    rule: Rule
    result: Literal["passed", "failed", "referred"]
    because: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
    facts: tuple[EventId, ...] = ()
    cases: tuple[CaseId, ...] = ()
    """Other cases whose facts it used: the same person's, the principal's, those that share a detail."""


class Basis(Frozen):
    """What a decision rested on, enough to replay it or to decide it anew under other rules."""

    rules_version: RulesVersion
    rules_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    programme_version: int
    decided_on: date
    """The calendar day in America/New_York on which the rules were tried."""
    results: tuple[RuleResult, ...] = ()
    earlier_supporter_cases: int | None = None
    """How many cases the same supporter had before this one, where that was asked."""


class CaseEvent(Frozen):
    """Base of every event of a case."""

    SCHEMA_VERSION: ClassVar[int] = 1

    at: AwareDatetime


class ApplicationFiled(CaseEvent):
    programme: str
    rules_version: RulesVersion
    rules_digest: str
    principal: CaseId | None = None
    application: Annotated[Application, Personal(erased=ERASED_APPLICATION)]


class SponsorConfirmationRequested(CaseEvent):
    request_id: MessageId
    basis: Basis | None = None
    """The rules that need only what was filed, on the first request; a later supporter is asked about without them."""


class SponsorConfirmed(CaseEvent):
    basis: Basis
    by_officer: bool = False


class SponsorNotConfirmed(CaseEvent):
    by_officer: bool = False
    why: Annotated[FreeText, Personal(erased="")] = ""


class SponsorWithdrew(CaseEvent):
    """A supporter stepped back; before parole the applicant has a limit to name another."""


class SponsorReplaced(CaseEvent):
    supporter: Annotated[Supporter, Personal(erased=ERASED_SUPPORTER)]


class EntryProofNotRequired(CaseEvent):
    basis: Basis


class EntryCheckRequested(CaseEvent):
    request_id: MessageId


class EntryVerified(CaseEvent):
    basis: Basis
    by: Literal["records", "document", "evidence", "officer"]
    entered_at: Annotated[AwareDatetime | None, Personal(erased=None)] = None
    place: Annotated[ShortText | None, Personal(erased=None)] = None
    manner: Annotated[Manner | None, Personal(erased=None)] = None


class EntryRefused(CaseEvent):
    basis: Basis
    by_officer: bool = False
    entered_at: Annotated[AwareDatetime | None, Personal(erased=None)] = None


class EvidenceRequested(CaseEvent):
    """The applicant is asked for proof of entry, within the evidence limit from `at`."""


class EvidenceReceived(CaseEvent):
    strong: bool
    documents: Annotated[tuple[Document, ...], Personal(erased=())]


class EvidenceDeadlinePassed(CaseEvent):
    """The limit for evidence ended with nothing strong received before it."""


class VettingRequested(CaseEvent):
    request_id: MessageId


class VettingCleared(CaseEvent):
    by_officer: bool = False
    findings: Annotated[tuple[Finding, ...], Personal(erased=())] = ()


class ReferredToOfficer(CaseEvent):
    """A person must look: `number` counts a case's referrals from 1, `question` is what the officer answers."""

    number: int
    question: Question
    codes: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")], ...] = ()
    """The flags that are codes of ours or plain codes of the partner's; free text stays in `flags`."""
    basis: Basis | None = None
    flags: Annotated[tuple[Flag, ...], Personal(erased=())] = ()


class ReferralEscalated(CaseEvent):
    number: int


class OfficerDecided(CaseEvent):
    number: int
    officer: OfficerRef
    decision: Literal["approve", "deny"]
    why: Annotated[FreeText, Personal(erased="")] = ""


class OfficerDecisionConfirmed(CaseEvent):
    number: int
    officer: OfficerRef


class VettingDenied(CaseEvent):
    number: int


class Waitlisted(CaseEvent):
    """Ready, and no place free: first come by `at`."""


class TravelAuthorized(CaseEvent):
    basis: Basis
    last_day: date
    """The last day of the authorization, America/New_York."""
    period: str
    """The calendar month, `YYYY-MM` in America/New_York, in which the place was taken."""


class TravelAuthorizationExtended(CaseEvent):
    last_day: date


class TravelAuthorizationHeld(CaseEvent):
    because: Literal["supporter", "passport"]


class TravelAuthorizationReleased(CaseEvent):
    basis: Basis


class TravelAuthorizationRevoked(CaseEvent):
    reason: Reason
    basis: Basis | None = None


class TravelAuthorizationExpired(CaseEvent):
    last_day: date


class IrregularCrossingRecorded(CaseEvent):
    country: Annotated[Country, Personal(erased="XXX")]
    crossed_at: Annotated[AwareDatetime, Personal(erased=ERASED_MOMENT)]


class PassportChanged(CaseEvent):
    passport: Annotated[Passport, Personal(erased=ERASED_PASSPORT)]
    surnames: Annotated[Name | None, Personal(erased=None)] = None


class ParoleGranted(CaseEvent):
    port: Port
    paroled_on: date
    last_day: date
    """The last day of parole, America/New_York."""


class ParoleRefused(CaseEvent):
    port: Port
    why: Annotated[FreeText, Personal(erased="")] = ""


class WorkPermitApplied(CaseEvent):
    request_id: MessageId


class WorkPermitEligible(CaseEvent):
    why: Annotated[FreeText, Personal(erased="")] = ""


class WorkPermitIneligible(CaseEvent):
    why: Annotated[FreeText, Personal(erased="")] = ""


class ParoleEnding(CaseEvent):
    """Notice that parole ends on `last_day`."""

    last_day: date


class ParoleEnded(CaseEvent):
    last_day: date


class HeldAnswer(Frozen):
    """A partner's answer that came while the programme was suspended, kept until it resumes."""

    partner: Partner
    body: Annotated[str, Field(max_length=20_000)]
    """The answer as JSON (`messages.py`), as it was received."""


class CaseHeld(CaseEvent):
    """The case's next step waits for the programme to resume."""

    partner: Partner | None = None
    """Whose answer waits with it, if it was an answer that came."""
    answer: Annotated[HeldAnswer | None, Personal(erased=None)] = None


class CaseResumed(CaseEvent):
    """The programme resumed and the case goes on."""


class ApplicationWithdrawn(CaseEvent):
    by: Literal["applicant", "supporter"]


class MessageRejected(CaseEvent):
    """A message that the case could not take when it came; at most 50 a case."""

    kind: Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_]+$")]
    code: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]


class CaseClosed(CaseEvent):
    """Always the last, but for erasure."""

    outcome: Outcome
    reason: Reason | None = None
    basis: Basis | None = None


class PersonalDataErased(CaseEvent):
    """The case's key is destroyed; what was personal can no longer be read by anyone."""

    first_officer: OfficerRef
    second_officer: OfficerRef
    because: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]


CASE_EVENTS: tuple[type[CaseEvent], ...] = tuple(CaseEvent.__subclasses__())
"""Every event a case can have; the codec and the golden files are complete over it."""
