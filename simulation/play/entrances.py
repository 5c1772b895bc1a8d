"""The ways into Passage that a scenario uses, as everybody outside does: over the gateway."""

from dataclasses import dataclass
from typing import Any

from simulation.format.applications import ScenarioApplication
from simulation.format.scenario import TimelineItem
from simulation.play.agenda import Filing, TimelineMessage
from simulation.play.client import GatewayClient, Reply
from simulation.play.names import CaseNames
from simulators.messages import PartnerMessage


@dataclass(frozen=True, slots=True)
class Entrances:
    """Sends what one scenario says. `mark` keeps its ids apart from those of other scenarios on the same database."""

    client: GatewayClient
    names: CaseNames
    mark: str = ""

    async def file(self, filing: Filing) -> str:
        """File the application; its case is known by its name from then on."""
        case_id = await self.client.file(
            f"{self.mark}filing-{filing.index}", filing.programme, self._on_the_wire(filing.application)
        )
        self.names.note(filing.name, case_id)
        return case_id

    def _on_the_wire(self, application: ScenarioApplication) -> dict[str, Any]:
        other = application.other_case
        filed = application if other is None else application.naming(self.names.standing_for(other))
        content: dict[str, Any] = filed.content.model_dump(mode="json", exclude_none=True)
        return content

    async def answer(self, answer: PartnerMessage) -> None:
        """Deliver a partner's answer as the partner itself would."""
        await self.client.deliver(answer.partner, answer.message_id, answer.body())

    async def deliver(self, entry: TimelineMessage) -> None:
        """Deliver a timeline message once; the same `index` is the same message."""
        item = entry.item
        about = {"programme": entry.programme} if item.case is None else {"case": self.names.addressed(item.case)}
        body = {**about, **item.says.model_dump(mode="json", exclude_none=True)}
        if entry.taken_back is not None:
            body["of"] = self._message_id(entry.taken_back)
        await self.client.deliver(entry.sender, self._message_id(entry.index), body)

    async def reply_to(self, entry: TimelineMessage) -> Reply:
        """What that message was answered."""
        return await self.client.reply_to(entry.sender, self._message_id(entry.index))

    async def ask(self, item: TimelineItem) -> Reply:
        """Ask whether the beneficiary may board."""
        return Reply(await self.client.may_board(self.names.addressed(item.case or "")))

    def _message_id(self, index: int) -> str:
        return f"{self.mark}timeline-{index}"
