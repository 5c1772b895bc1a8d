"""What comes from outside, and the commands that follow: the base of every message, and those every family knows.

A message is never an instruction: it says what its sender knows or asks, and the case decides what follows. Personal
fields never leave the inbox and the event store in clear.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from domain.kernel.events import Flag, FreeText, Frozen, HeldAnswer
from domain.kernel.ids import CaseId, Code, CommandId, MessageId, OfficerRef, RulesVersion, message_command_id
from domain.kernel.proof import CLOCK, Proof

Flags = Annotated[tuple[Flag, ...], Field(max_length=20)]
ReferralNumber = Annotated[int, Field(ge=1, le=100_000)]
"""The place of a referral among those of its case."""


class Message(Frozen):
    """Base of every message. `SENDERS` may send it; anyone else is refused before the case sees it."""

    SENDERS: ClassVar[tuple[str, ...]]

    message: str


class PartnerAnswer(Message):
    """An answer to a request of ours. It belongs to that request and to no other.

    `request_id` names it; without one the answer belongs to the request that is open now.
    """

    request_id: MessageId | None = None


def kept(answer: PartnerAnswer) -> HeldAnswer:
    """The answer as an event keeps it."""
    return HeldAnswer(partner=answer.SENDERS[0], body=answer.model_dump_json())


class PartnerCheck(Frozen):
    """Base of what a partner is asked about a case. Holds personal data: its text form shows only ids.

    `request_id` is that of the event that states the intent; it is also the idempotency key. `requested_at` is that
    event's moment, so that a repeated call says the same.
    """

    request_id: MessageId
    case_id: CaseId
    requested_at: AwareDatetime

    @property
    def subject(self) -> str:
        """What tells whom it is about from others, such as the number of a passport."""
        raise NotImplementedError

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield "request_id", self.request_id
        yield "case_id", self.case_id


class Submission(Message):
    """Base of the message that begins a case: each family has one."""

    SENDERS = ("supporter",)


class OfficerDecision(Message):
    """An officer answers a referral; a denial waits for a second officer. Who decides is proved, not said here.

    `officer` is whom the sender takes itself for; an entrance that knows better refuses another name.
    """

    SENDERS = ("officer",)
    message: Literal["officer.decided"] = "officer.decided"
    officer: OfficerRef
    decision: Literal["approve", "deny"]
    why: FreeText = ""
    referral: ReferralNumber | None = None
    """Which one it answers; may be left out where only one is open."""


class OfficerConfirmation(Message):
    """A second officer confirms a denial, or that a denied case be opened again."""

    SENDERS = ("officer",)
    message: Literal["officer.confirmed"] = "officer.confirmed"
    officer: OfficerRef
    referral: ReferralNumber | None = None
    """As in `OfficerDecision`."""


class OfficerReconsideration(Message):
    """An officer asks that a denied case be opened again; a second officer must confirm it."""

    SENDERS = ("officer",)
    message: Literal["officer.reconsidered"] = "officer.reconsidered"
    officer: OfficerRef
    why: FreeText = ""


class Retraction(Message):
    """Base of the message by which a sender takes back what it reported: each family names who may send it."""

    message: Literal["fact.retracted"] = "fact.retracted"
    of: MessageId
    """Its own id of the message that it takes back."""


class PlaceOffered(Message):
    """A freed or new place is reserved for this case, the head of the waiting list."""

    SENDERS = ("passage",)
    message: Literal["place.offered"] = "place.offered"


class ProgrammeChanged(Message):
    """The programme was suspended, resumed, terminated, or its rules or places changed: look again."""

    SENDERS = ("passage",)
    message: Literal["programme.changed"] = "programme.changed"


class ProgrammeSuspension(Message):
    """No case is decided from now on."""

    SENDERS = ("governments",)
    message: Literal["programme.suspended"] = "programme.suspended"


class ProgrammeResumption(Message):
    """Cases go on."""

    SENDERS = ("governments",)
    message: Literal["programme.resumed"] = "programme.resumed"


class ProgrammeTermination(Message):
    """The programme ends for good."""

    SENDERS = ("governments",)
    message: Literal["programme.terminated"] = "programme.terminated"
    parole_ends_on: date


class CapChange(Message):
    """The governments name a number of places of their own, of the pool named or of the programme's only one."""

    SENDERS = ("governments",)
    message: Literal["programme.cap"] = "programme.cap"
    places: Annotated[int, Field(ge=0, le=10**9)]
    pool: Code | None = None


class RulesAdoption(Message):
    """Another rule set comes into force for cases filed from now on."""

    SENDERS = ("governments",)
    message: Literal["programme.rules_adopted"] = "programme.rules_adopted"
    rules: RulesVersion


GovernmentsMessage = ProgrammeSuspension | ProgrammeResumption | ProgrammeTermination | CapChange | RulesAdoption

GOVERNMENTS_MESSAGE: TypeAdapter[GovernmentsMessage] = TypeAdapter(
    Annotated[GovernmentsMessage, Field(discriminator="message")]
)


class Rejection(Exception):
    """The domain's "no" to a message: an answer, not a failure. `code` is stable, public and free of personal data."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def with_reason(why: str) -> str:
    """The reason that an officer gave. Raises `Rejection` where there is none."""
    if not why.strip():
        raise Rejection("no-reason")
    return why


@dataclass(frozen=True, slots=True)
class FileApplication:
    """Begin a case with what was filed."""

    case_id: CaseId
    source: str
    message_id: str
    message: Submission
    received_at: datetime
    proof: Proof

    @property
    def command_id(self) -> CommandId:
        """The same command again has the same id."""
        return message_command_id(self.source, self.message_id)


@dataclass(frozen=True, slots=True)
class TakeMessage:
    """Take a message that was received at `received_at`, which alone decides whether it was in time."""

    source: str
    message_id: str
    message: Message
    received_at: datetime
    proof: Proof
    """By what the sender was known: the decision rests on it, never on what the message says of its sender."""

    @property
    def command_id(self) -> CommandId:
        """The same command again has the same id."""
        return message_command_id(self.source, self.message_id)


def proved_officer(command: TakeMessage) -> OfficerRef:
    """The officer who speaks; a name in the message proves nothing. Raises `Rejection` where none is proved."""
    officer = command.proof.officer
    if officer is None:
        raise Rejection("officer-not-proven")
    return officer


@dataclass(frozen=True, slots=True)
class MeetDeadline:
    """Do what follows from a limit that ended at `due_at`."""

    name: str
    due_at: datetime

    @property
    def proof(self) -> Proof:
        """Time itself."""
        return CLOCK

    @property
    def command_id(self) -> CommandId:
        """The same command again has the same id."""
        return CommandId(f"deadline:{self.name}:{self.due_at.isoformat()}")


Command = FileApplication | TakeMessage | MeetDeadline
