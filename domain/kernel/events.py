"""What a stored event is, and the events that the cases of every family have.

An event is past tense, frozen and stored for ever. A stored name, version or field never changes its meaning; a new
meaning is a new version with an upcasting step (`eventstore/format/upcast.py`). Codes are open here (`ids.py`).
Fields marked `Personal` are encrypted under the case's key. After `PersonalDataErased` the stand-in takes the place of
the value, so that a case still folds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from domain.kernel.calendar import day_of
from domain.kernel.ids import CaseId, Code, Digest, EventId, MessageId, MessageName, OfficerRef, RulesVersion

ERASED_MOMENT = "0001-01-01T00:00:00+00:00"

FreeText = Annotated[str, StringConstraints(max_length=2000)]
Flag = Annotated[str, StringConstraints(min_length=1, max_length=100)]


@dataclass(frozen=True, slots=True)
class Personal:
    """Marks a field of an event as personal: `name: Annotated[str, Personal(erased="")]`."""

    erased: object


class Frozen(BaseModel):
    """Frozen, nothing unknown, and errors that never repeat the input."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RuleResult(Frozen):
    """One rule tried: what it said, why in a code, and the events whose facts it used."""

    rule: Code
    result: Code
    """`passed`, `failed` or `referred`."""
    because: Code
    facts: tuple[EventId, ...] = ()
    cases: tuple[CaseId, ...] = ()
    """Other cases whose facts it used: the same person's, the principal's, those that share a detail."""


class Basis(Frozen):
    """What a decision rested on: enough to replay it, and to decide it anew under other rules, without guessing."""

    rules_version: RulesVersion
    rules_digest: Digest
    programme_version: int
    decided_at: AwareDatetime
    """The moment that the rules were held against."""
    results: tuple[RuleResult, ...] = ()
    message: MessageName | None = None
    """The kind of message that was taken; None at a filing, and where a limit ended."""
    fact: MessageId | None = None
    """The sender's own id of the message, where its sender may take back what it says."""
    known: Mapping[Code, Any] = {}
    """What else the decision knew beyond the case, in the words of its family (`world.py`); defaults are left out."""

    @property
    def decided_on(self) -> date:
        """The calendar day in America/New_York on which the rules were tried."""
        return day_of(self.decided_at)


class CaseEvent(Frozen):
    """Base of every event of a case. `at` is when it happened.

    `basis` stands in the first event of a command whose decision needed more than what the event itself reports.
    """

    SCHEMA_VERSION: ClassVar[int] = 1

    at: AwareDatetime
    basis: Basis | None = None


class HeldAnswer(Frozen):
    """A partner's answer that is kept whole."""

    partner: Code
    body: Annotated[str, Field(max_length=20_000)]
    """The answer as JSON, as it was received."""


class ReferredToOfficer(CaseEvent):
    """A person must look: `number` counts a case's referrals from 1, `question` is what the officer answers."""

    number: int
    question: Code
    codes: tuple[Code, ...] = ()
    """The flags that are codes of ours or plain codes of the partner's; free text stays in `flags`."""
    flags: Annotated[tuple[Flag, ...], Personal(erased=())] = ()
    answer: Annotated[HeldAnswer | None, Personal(erased=None)] = None
    """The partner's answer that gave rise to it, where it says more than the flags."""
    news: bool = False
    """Nobody had asked: the partner spoke again."""
    fact: EventId | None = None
    """The event that recorded what gave rise to it, where that may be taken back."""


class ReferralEscalated(CaseEvent):
    """The limit of a referral passed with no answer."""

    number: int


class OfficerDecided(CaseEvent):
    """An officer answered a referral; a denial takes effect when another officer confirms it."""

    number: int
    officer: OfficerRef
    decision: Code
    why: Annotated[FreeText, Personal(erased="")] = ""


class OfficerDecisionConfirmed(CaseEvent):
    """A second officer confirmed a denial."""

    number: int
    officer: OfficerRef


class CaseHeld(CaseEvent):
    """The case's next step waits for the programme to resume."""

    partner: Code | None = None
    """Whose answer waits with it, if it was an answer that came."""
    answer: Annotated[HeldAnswer | None, Personal(erased=None)] = None
    news: bool = False
    """Nobody had asked for the answer."""
    fact: EventId | None = None
    """The event that recorded the answer, where it may be taken back."""


class CaseResumed(CaseEvent):
    """The programme resumed and the case goes on."""


class MessageRejected(CaseEvent):
    """A message that the case could not take when it came; at most 50 a case."""

    kind: MessageName
    code: Code


class CaseClosed(CaseEvent):
    """The case ended; a fact that is taken back, or redress, may open it again."""

    outcome: Code
    reason: Code | None = None
    facts: tuple[EventId, ...] = ()
    """The events that recorded why it closed: taking one of them back opens the case again."""
    referral: int | None = None
    """The number of the referral whose denial closed it."""


class FactRetracted(CaseEvent):
    """Who reported something takes it back: from now on it counts nowhere."""

    of: MessageId
    """The id under which it was sent."""
    kind: MessageName
    fact: EventId
    """The event that recorded it."""
    reopens: bool = False
    """The case closed for it and opens again, now or when the programme resumes."""


class ReconsiderationRequested(CaseEvent):
    """An officer asks that a denied case be opened again, which a second officer must confirm."""

    number: int
    """The referral that was denied."""
    officer: OfficerRef
    why: Annotated[FreeText, Personal(erased="")] = ""
    second_officer: OfficerRef | None = None
    """Who confirmed it, where the case does not open at once."""
    reopens: bool = False
    """It opens when the programme resumes; else, confirmed, it may not open."""


class CaseReopened(CaseEvent):
    """The case stands again where it stood when it closed."""

    fact: EventId | None = None
    """What was taken back."""
    referral: int | None = None
    """The referral whose denial two other officers undid: its question counts as approved."""
    officer: OfficerRef | None = None
    second_officer: OfficerRef | None = None


class PersonalDataErased(CaseEvent):
    """The case's key is destroyed; what was personal can no longer be read by anyone."""

    first_officer: OfficerRef
    second_officer: OfficerRef
    because: Code


KERNEL_EVENTS: tuple[type[CaseEvent], ...] = tuple(CaseEvent.__subclasses__())
"""The events that a case of any family can have."""
