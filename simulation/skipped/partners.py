"""The simulated partners of one scenario, in this process: they answer by the agenda, at nominal moments."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx2

from activities.partners.clients import PartnerClients, open_partner_clients
from simulation.play.agenda import Agenda, Filing
from simulation.play.entrances import Entrances
from simulation.play.names import CaseNames
from simulation.skipped.clock import ScenarioClock
from simulators.app import create_app
from simulators.desk import PartnerDesk
from simulators.journal import IN_MEMORY, Journal, open_database
from simulators.messages import PartnerMessage
from simulators.scripts import PARTNERS, PartnerScripts

_PARTNERS_URL: Final = "http://partners"
GATEWAY_URL: Final = "http://gateway"
"""No such hosts are reached: both are apps in this process."""


@dataclass(frozen=True, slots=True)
class AgendaScheduler:
    """A `Scheduler` (simulators/messages.py) that puts answers on the agenda.

    `replan` wakes whoever waits for the next moment: a call that was accepted at last may be answered before it.
    """

    agenda: Agenda
    clock: ScenarioClock
    names: CaseNames
    replan: Callable[[], Awaitable[None]]

    async def deliver(self, at: datetime, answer: PartnerMessage) -> None:
        """See `Scheduler`. Nothing is handed over here: also what is due at once has its turn on the agenda."""
        self.agenda.schedule(at, self.names.known(answer.case_id), answer)
        self.clock.expect(at)
        if not self.clock.playing:
            await self.replan()


@dataclass(frozen=True, slots=True)
class ScenarioPartners:
    """Clients that reach the simulated partners, and where those are told what to answer."""

    clients: PartnerClients
    journal: Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedEntrances(Entrances):
    """The partners are told how to answer a case once it has an id; nothing goes on before that."""

    partners: ScenarioPartners

    async def file(self, filing: Filing) -> str:
        """See base class."""
        case_id = await Entrances.file(self, filing)
        self.partners.journal.set_for_case(case_id, filing.application.partners)
        return case_id


@asynccontextmanager
async def open_partners(scheduler: AgendaScheduler) -> AsyncIterator[ScenarioPartners]:
    """The partners of one scenario, who remember nothing afterwards."""
    with closing(open_database(IN_MEMORY)) as database:
        journal = Journal(database, PartnerScripts())
        desk = PartnerDesk(journal, scheduler, now=lambda: scheduler.clock.now(datetime.now(UTC)))
        transport = httpx2.ASGITransport(app=create_app(journal, desk))
        urls = {partner: f"{_PARTNERS_URL}/{partner}" for partner in PARTNERS}
        async with open_partner_clients(urls, GATEWAY_URL, transport=transport) as clients:
            yield ScenarioPartners(clients, journal)
