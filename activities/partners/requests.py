"""What the requests to all partners have in common, and what a partner says when it takes one."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Literal, Protocol, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator

from domain.humanitarian_parole.application import Beneficiary, DocumentNumber, Name
from domain.kernel.ids import CaseId, Code, MessageId


class PartnerRequest(BaseModel):
    """Base of what a partner is asked. Holds personal data: its text form shows only ids.

    `request_id` is that of the event that states the intent; it is also the idempotency key. `requested_at` is that
    event's moment, so that a repeated call says the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    PARTNER: ClassVar[Code]

    request_id: MessageId
    case_id: CaseId
    requested_at: AwareDatetime

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield "request_id", self.request_id
        yield "case_id", self.case_id


class PersonReference(BaseModel):
    """As much of a beneficiary as tells them from others, for a partner that is not asked about them."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    given_names: Name
    surnames: Name
    birth_date: date
    passport_number: DocumentNumber

    @classmethod
    def of(cls, beneficiary: Beneficiary) -> Self:
        """The reference to `beneficiary`."""
        return cls(
            given_names=beneficiary.given_names,
            surnames=beneficiary.surnames,
            birth_date=beneficiary.birth_date,
            passport_number=beneficiary.passport.number,
        )


class Accepted(BaseModel):
    """A partner's receipt: it has the request and will answer it. `accepted_at` is the partner's own moment.

    Fields that a partner adds are ignored; `case_id` need not be there, but if it is, it must be ours.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    request_id: MessageId
    accepted_at: AwareDatetime
    case_id: CaseId | None = None


class StatusSaid(BaseModel):
    """What a partner says of a request that it holds: not answered yet, or its answer, again, under the same id.

    `answer` is the message as the partner sends it to the gateway; it is read where messages are read.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    request_id: MessageId
    state: Literal["pending", "answered"]
    case_id: CaseId | None = None
    message_id: MessageId | None = None
    answer: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _answered_with_its_answer(self) -> Self:
        given = (self.answer is not None, self.message_id is not None)
        if given != ((True, True) if self.state == "answered" else (False, False)):
            raise ValueError("an answer and its message id belong to `answered`, and to nothing else")
        return self


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """The answer to a request, about its case: the message's id and its body, as the gateway would get them."""

    message_id: MessageId
    body: bytes = field(repr=False)


Status = AnswerGiven | Literal["pending", "unknown"]
"""What became of a request: its answer; not answered yet; the partner knows no such request."""


class TellsStatus(Protocol):
    """Every partner can be asked what became of a request."""

    async def status(self, request_id: str, case_id: str) -> Status:
        """Ask once. Raises `PartnerError`."""
        ...
