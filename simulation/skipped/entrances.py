"""The ways into Passage over HTTP, as everybody outside uses them; the gateway is an app in this process."""

from dataclasses import dataclass
from typing import Any, Final

import httpx2

from domain.kernel.messages import Message
from eventstore.inbox import Inbox
from simulation.format.scenario import Answer, TimelineItem
from simulation.play.agenda import Filing
from simulation.play.names import CaseNames
from simulation.skipped.partners import ScenarioPartners
from simulators.messages import PartnerMessage

_UNKNOWN: Final = 404
"""Nobody has filed such a case yet."""


class Refused(Exception):
    """The gateway did not take what a scenario says; the message names it by its status and code."""


@dataclass(frozen=True, slots=True)
class GatewayEntrances:
    """`Entrances` (player.py) over the gateway."""

    programme: str
    http: httpx2.AsyncClient
    inbox: Inbox
    partners: ScenarioPartners
    names: CaseNames

    async def file(self, filing: Filing) -> None:
        """File it; only then are its partners told how to behave, since only then it has a case id."""
        application = filing.application
        principal = None if application.principal is None else self.names.addressed(application.principal)
        filed = application.filed(principal).model_dump(mode="json", exclude_none=True)
        body = {"programme": self.programme, "application": filed}
        headers = {"Idempotency-Key": f"filing-{filing.index}"}
        response = await self.http.post("/v1/applications", json=body, headers=headers)
        case_id = _taken(response, "the application")["case_id"]
        self.names.note(filing.name, case_id)
        self.partners.journal.set_for_case(case_id, application.partners)

    async def answer(self, answer: PartnerMessage) -> None:
        """Deliver a partner's answer as the partner itself would."""
        headers = {"webhook-id": answer.message_id}
        _taken(
            await self.http.post(answer.path, json=answer.body(), headers=headers), f"the answer of {answer.partner}"
        )

    async def deliver(self, index: int, item: TimelineItem) -> None:
        """Deliver a timeline message once; to a case that is not filed it comes to nothing."""
        about = {"programme": self.programme} if item.case is None else {"case": self.names.addressed(item.case)}
        path = f"/v1/partners/{_sender(item)}/messages"
        body = {**about, **item.says.model_dump(mode="json", exclude_none=True)}
        response = await self.http.post(path, json=body, headers={"webhook-id": _message_id(index)})
        if response.status_code != _UNKNOWN:
            _taken(response, item.message)

    async def answer_of(self, index: int, item: TimelineItem) -> Answer:
        """What the inbox row says; a message to a case that nobody filed was turned away at the gateway."""
        receipt = await self.inbox.get(_sender(item), _message_id(index))
        if receipt is None:
            return "rejected"
        if receipt.answer is None:
            raise Refused(f"{item.message} was not answered although nothing waits any more")
        return receipt.answer

    async def ask(self, item: TimelineItem) -> Answer:
        """Ask whether the beneficiary may board."""
        case_id = self.names.addressed(item.case or "")
        response = await self.http.post("/v1/boarding-checks", json={"case": case_id})
        if response.status_code == _UNKNOWN:
            return "none"
        answer: Answer = _taken(response, item.message)["answer"]
        return answer


def _sender(item: TimelineItem) -> str:
    says: Message = item.says
    return says.SENDERS[0]


def _message_id(index: int) -> str:
    return f"timeline-{index}"


def _taken(response: httpx2.Response, what: str) -> dict[str, Any]:
    if not response.is_success:
        code = response.json().get("code", "?") if response.headers.get("content-type", "").endswith("json") else "?"
        raise Refused(f"the gateway refused {what}: {response.status_code} {code}")
    body: dict[str, Any] = response.json()
    return body
