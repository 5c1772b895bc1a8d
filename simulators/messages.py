"""An answer on its way to Passage, and the port through which it goes there later."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from domain.kernel.ids import Code
from domain.kernel.messages import PartnerAnswer


@dataclass(frozen=True, slots=True)
class PartnerMessage:
    """One message of `partner` to the gateway about `case_id`; the same `message_id` is the same message."""

    partner: Code
    message_id: str
    case_id: str
    answer: PartnerAnswer

    @property
    def path(self) -> str:
        """Where on the gateway it goes."""
        return f"/v1/partners/{self.partner}/messages"

    def body(self) -> dict[str, Any]:
        """Its JSON body, flat: the case, the message's name, the request it answers and its own fields."""
        return {"case": self.case_id, **self.answer.model_dump(mode="json", exclude_none=True)}


def partner_of(path: str) -> str:
    """The partner that sends to this path."""
    return path.split("/")[3]


class Scheduler(Protocol):
    """Delivers answers when they are due, at least once each."""

    async def deliver(self, at: datetime, answer: PartnerMessage) -> None:
        """Deliver `answer` at `at` (domain time) or as soon after it as the gateway takes it.

        Returns once the answer is noted so that it is not lost. What is already due is handed to the gateway first,
        if it takes it now.
        """
        ...
