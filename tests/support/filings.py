"""Made-up applications, and a writer that appends to one stream as an activity would."""

import hashlib
import os
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from domain import registry
from domain.humanitarian_parole.application import Application, Beneficiary, Passport, Supporter
from domain.humanitarian_parole.stages.filing import ApplicationFiled, ApplicationSubmitted
from domain.humanitarian_parole.stages.travel import ALLOTMENT as AIR
from domain.kernel.events import CaseEvent
from domain.kernel.ids import CommandId, case_id_from_entropy
from domain.kernel.programme import ProgrammeEvent
from domain.kernel.programme import open_programme as events_of_opening
from domain.kernel.proof import claimed
from eventstore.format.envelope import NO_HASH
from eventstore.inbox import Inbox, Incoming, Receipt
from eventstore.places import Pool, PoolPeriod
from eventstore.port import Append, Appended, EventStore
from eventstore.summary import CaseSummary, ProgrammeSummary
from tests.support.given import named

PROGRAMME = "venezuela-air"
MONTH = "2022-10"
NOON = datetime(2022, 10, 20, 12, tzinfo=UTC)
RULES_DIGEST = "ab" * 32


def new_case_id() -> str:
    return case_id_from_entropy("VEN", os.urandom(8))


def application(passport: str = "151234567", given_names: str = "Ana María") -> Application:
    return Application(
        beneficiary=Beneficiary(
            given_names=given_names,
            surnames="Rojas Pérez",
            birth_date=date(1990, 5, 14),
            nationalities=("VEN",),
            passport=Passport(
                number=passport, issuing_country="VEN", issued_on=date(2021, 3, 1), expires_on=date(2026, 3, 1)
            ),
            located_in="COL",
        ),
        supporter=Supporter(
            given_names="Luis",
            surnames="Gómez",
            birth_date=date(1980, 1, 1),
            tax_id="900-00-0001",
            status="citizen",
            household_size=2,
            annual_income_usd=60000,
            address="1 Main St, Houston TX",
            phone="+1-713-555-0100",
            email="luis@example.org",
        ),
    )


def filed(at: datetime = NOON, **changed: Any) -> ApplicationFiled:
    facts: dict[str, Any] = {
        "programme": PROGRAMME,
        "rules_version": "2022-10-19",
        "rules_digest": RULES_DIGEST,
        "application": application(),
    }
    return ApplicationFiled(at=at, **{**facts, **changed})


def summary(case_id: str, **changed: Any) -> CaseSummary:
    plain = CaseSummary(
        case_id=case_id,
        programme=PROGRAMME,
        rules_version="2022-10-19",
        stage="sponsor_confirmation",
        waiting_on="sponsor",
        since=NOON,
        filed_at=NOON,
    )
    return replace(plain, **changed)


def filing(case_id: str, message_id: str, **changed: Any) -> Incoming:
    plain = Incoming(
        source="supporter",
        message_id=message_id,
        case_id=case_id,
        programme=PROGRAMME,
        body=ApplicationSubmitted(application=application()),
        received_at=NOON,
        proof=claimed("supporter"),
    )
    return replace(plain, **changed)


def message(case_id: str, message_id: str, body: Any, **changed: Any) -> Incoming:
    plain = Incoming(
        source=type(body).SENDERS[0],
        message_id=message_id,
        case_id=case_id,
        programme=None,
        body=body,
        received_at=NOON,
        proof=named(body),
    )
    return replace(plain, **changed)


@dataclass
class Writer:
    """Keeps what the next append to its stream must expect."""

    store: EventStore
    stream: str
    version: int = 0
    hash: bytes = NO_HASH
    commands: int = 0

    def of(self, *events: CaseEvent | ProgrammeEvent, **changed: Any) -> Append:
        """The append that adds these events now, with a command of its own."""
        self.commands += 1
        command = changed.pop("command_id", f"test:{self.stream}-{self.commands}")
        of_programme = self.stream == PROGRAMME
        plain = Append(
            stream=self.stream,
            programme=PROGRAMME,
            command_id=CommandId(command),
            message_digest=hashlib.sha256(command.encode()).digest(),
            expected_version=self.version,
            previous_hash=self.hash,
            events=events,
            proof=claimed("test"),
            now=NOON,
            rules_digest=RULES_DIGEST,
            summary=programme_summary() if of_programme else summary(self.stream),
            caps=(PROGRAMME,) if of_programme else (),
        )
        return replace(plain, **changed)

    async def append(self, *events: CaseEvent | ProgrammeEvent, **changed: Any) -> Appended:
        return await self.send(self.of(*events, **changed))

    async def send(self, append: Append) -> Appended:
        appended = await self.store.append(append)
        self.version, self.hash = appended.version, appended.hash
        return appended


def programme_summary(places: int = 24000, cap_period: PoolPeriod = "total", **changed: Any) -> ProgrammeSummary:
    plain = ProgrammeSummary(
        programme=PROGRAMME,
        status="open",
        rules_version="2022-10-19",
        pools={AIR: Pool(PROGRAMME, places, cap_period)},
    )
    return replace(plain, **changed)


async def open_programme(
    store: EventStore, places: int = 24000, cap_period: PoolPeriod = "total", **changed: Any
) -> Writer:
    writer = Writer(store, PROGRAMME)
    head = programme_summary(places, cap_period, **changed)
    await writer.append(
        *events_of_opening(registry.programme(PROGRAMME).sets[head.rules_version], places, NOON - timedelta(days=1)),
        summary=head,
    )
    return writer


async def file_case(store: EventStore, case_id: str | None = None, **changed: Any) -> Writer:
    writer = Writer(store, case_id or new_case_id())
    await writer.append(filed(), **changed)
    return writer


async def receive_filing(inbox: Inbox, case_id: str, message_id: str | None = None, **changed: Any) -> Receipt:
    return await inbox.receive(filing(case_id, message_id or f"filing-{case_id}", **changed))
