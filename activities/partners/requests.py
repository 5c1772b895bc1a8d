"""What a partner says when it takes a request, and when it is asked what became of one."""

from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator

from domain.kernel.ids import CaseId, GivenId, MessageId
from domain.kernel.proof import Proof


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
    message_id: GivenId | None = None
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

    message_id: GivenId
    proof: Proof
    body: bytes = field(repr=False)


Status = AnswerGiven | Literal["pending", "unknown"]
"""What became of a request: its answer; not answered yet; the partner knows no such request."""
