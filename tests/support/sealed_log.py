"""A log as the programme writes it: real decisions on a real Postgres, a sealer over it, and an auditor who looks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from audit.log.checkpoints import Checkpoint
from audit.log.log_key import FileLogKey, LogKeys
from audit.log.sealer import opened_sealer
from audit.log.sealing import Sealer
from audit.log.tables import newest_checkpoint
from audit.verify.faults import Code, Fault
from audit.verify.record import Scope, Verified, known_checkpoint, verify
from cases.handle import command_of, handle
from cases.programme_commands import handle_programme, open_if_new
from cases.repository import CaseRepository
from domain import registry
from domain.humanitarian_parole.stages.filing import ApplicationSubmitted, WithdrawalRequest
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmedAnswer
from domain.humanitarian_parole.stages.vetting import VettingClearedAnswer
from domain.kernel.ids import CaseId
from domain.kernel.messages import FileApplication, MeetDeadline, TakeMessage
from domain.kernel.proof import claimed
from eventstore.format.envelope import machine_clock
from eventstore.format.lookups import Lookups
from eventstore.inbox import InboxRow, Incoming
from eventstore.keys import DirectoryKeyStore
from eventstore.postgres.store import PostgresStore
from tests.support.filed import FILED_AT, a_beneficiary, a_passport, a_supporter, an_application, day
from tests.support.filings import PROGRAMME, new_case_id
from tests.support.given import named

RULES = "2022-10-19"
ORIGIN = "passage/test"


@dataclass
class SealedLog:
    """One programme, its cases, its sealer. `keys` holds the keys of persons and of the log."""

    database_url: str
    keys: Path
    store: PostgresStore
    cases: CaseRepository
    sealer: Sealer
    filed: int = field(default=0, init=False)

    async def open(self, places: int = 24_000, at: datetime = FILED_AT - timedelta(days=1)) -> None:
        """Open the programme."""
        await open_if_new(self.cases, registry.programme(PROGRAMME).sets[RULES], places, at)

    async def file(self, at: datetime = FILED_AT, **changes: Any) -> CaseId:
        """File for somebody whom nobody knows yet: two events."""
        self.filed += 1
        number = f"{self.filed:06}"
        application = an_application(
            a_beneficiary(surnames=f"Rojas {number}", passport=a_passport(number=number)),
            supporter=a_supporter(surnames=f"Gómez {number}", tax_id=number, phone=number, address=number),
            **changes,
        )
        case_id = new_case_id()
        message = ApplicationSubmitted(application=application)
        await self.take(
            case_id, FileApplication(case_id, "supporter", f"filing-{number}", message, at, claimed("supporter")), at
        )
        return case_id

    async def take(self, case_id: CaseId, command: Any, now: datetime) -> None:
        """Decide one command: a limit that is over, or a message that comes in by the inbox."""
        row = None if isinstance(command, MeetDeadline) else await self._received(case_id, command)
        seen = replace(await self.cases.see(case_id, now), programme=PROGRAMME)
        await handle(self.cases, seen, command if row is None else command_of(row), now, row)

    async def take_all(self, case_id: CaseId, now: datetime) -> None:
        """Decide whatever the case has in the inbox, as the worker does."""
        while (row := await self.store.inbox.next_undecided(case_id)) is not None:
            await self._take_row(case_id, row, now)

    async def _take_row(self, case_id: CaseId, row: InboxRow, now: datetime) -> None:
        seen = replace(await self.cases.see(case_id, now), programme=PROGRAMME)
        await handle(self.cases, seen, command_of(row), now, row)

    async def _received(self, case_id: CaseId, command: Any) -> InboxRow:
        await self.store.inbox.receive(
            Incoming(
                source=command.source, message_id=command.message_id, case_id=case_id, programme=PROGRAMME,
                body=command.message, received_at=command.received_at, proof=command.proof,
            )
        )  # fmt: skip
        while (row := await self.store.inbox.next_undecided(case_id)) is not None and row.source == "passage":
            await self._take_row(case_id, row, command.received_at)
        assert row is not None
        assert row.message_id == command.message_id
        return row

    async def say(self, case_id: CaseId, message: Any, at: datetime) -> None:
        """A message that nobody asked for, or that answers the open request."""
        message_id = f"{message.message}-{case_id}-{at}"
        await self.take(case_id, TakeMessage(message.SENDERS[0], message_id, message, at, named(message)), at)

    async def meet(self, case_id: CaseId, name: Any, due_at: datetime) -> None:
        """A limit is over."""
        await self.take(case_id, MeetDeadline(name, due_at), due_at)

    async def request(self, case_id: CaseId, partner: str) -> str:
        """The id of the request that is open."""
        request = (await self.cases.case(case_id)).request_to(partner)
        assert request is not None
        return request.request_id

    async def authorize(self, case_id: CaseId, at: datetime = FILED_AT) -> None:
        """From filing to the travel authorization, or to the waiting list: three events more, and one."""
        sponsor = await self.request(case_id, "sponsor_registry")
        await self.say(case_id, SponsorConfirmedAnswer(request_id=sponsor), at + timedelta(hours=1))
        vetting = await self.request(case_id, "vetting")
        await self.say(case_id, VettingClearedAnswer(request_id=vetting), at + timedelta(hours=2))

    async def withdraw(self, case_id: CaseId, at: datetime | None = None) -> None:
        """The applicant withdraws: two events."""
        await self.say(case_id, WithdrawalRequest(), at or day(20))

    async def command_programme(self, message: Any, at: datetime, programme: str = PROGRAMME) -> None:
        """The governments speak."""
        said = Incoming(
            source="governments", message_id=f"{message.message}-{at:%s}", case_id=None, programme=programme,
            body=message, received_at=at, proof=claimed("governments"),
        )  # fmt: skip
        await self.store.inbox.receive(said)
        await handle_programme(self.cases, programme, at)

    async def seal(self) -> Checkpoint:
        """Seal all that waits and sign it."""
        while await self.sealer.seal():
            pass
        return await self.sealer.sign()

    async def seal_map(self) -> Checkpoint:
        """Seal all that waits, then a map, and sign it."""
        await self.seal()
        await self.sealer.seal_map()
        return await self.sealer.sign()

    async def checkpoint(self) -> str:
        """The newest checkpoint, as an auditor takes it home."""
        connection = await asyncpg.connect(self.database_url)
        try:
            note = await newest_checkpoint(connection)
        finally:
            await connection.close()
        assert note is not None
        return note

    async def verify(self, kept: str | None = None, **scope: Any) -> "Found":
        """What an auditor finds, who holds this checkpoint."""
        return await audited(self.database_url, self.keys, kept, **scope)

    async def codes(self, kept: str | None = None, **scope: Any) -> set[Code]:
        """The kinds of fault that an auditor finds."""
        return (await self.verify(kept, **scope)).codes

    async def attack(self, *statements: str) -> None:
        """As superuser, with triggers off meanwhile, in one transaction that leaves no other trace of itself."""
        connection = await asyncpg.connect(self.database_url)
        try:
            async with connection.transaction():
                await connection.execute(TRIGGERS_OFF)
                for statement in statements:
                    await connection.execute(statement)
                await connection.execute(TRIGGERS_ON)
        finally:
            await connection.close()

    async def value(self, query: str, *arguments: Any) -> Any:
        """One value, as superuser."""
        connection = await asyncpg.connect(self.database_url)
        try:
            return await connection.fetchval(query, *arguments)
        finally:
            await connection.close()


_TABLES = ("events", "leaf", "tile", "checkpoint", "map_seal", "run_history", "document")
TRIGGERS_OFF = "ALTER TABLE passage.events DROP CONSTRAINT IF EXISTS hash_of_header;" + "".join(
    f"ALTER TABLE passage.{table} DISABLE TRIGGER ALL;" for table in _TABLES
)
TRIGGERS_ON = (
    """
    ALTER TABLE passage.events ADD CONSTRAINT hash_of_header CHECK (hash = sha256('\\x00'::bytea || header)) NOT VALID;
    SET LOCAL allow_system_table_mods = on;
    UPDATE pg_constraint SET convalidated = true WHERE conname = 'hash_of_header';
    """
    + "".join(f"ALTER TABLE passage.{table} ENABLE TRIGGER ALL;" for table in _TABLES)
    + "".join(f"ALTER TABLE passage.{table} ENABLE ALWAYS TRIGGER append_only;" for table in _TABLES)
)
"""A check that rows do not keep is put back as it was: who has the server can say that they were looked at."""


@dataclass
class Found:
    """What `verify` said."""

    result: Verified
    faults: list[Fault]

    @property
    def codes(self) -> set[Code]:
        """The kinds of fault."""
        return {fault.code for fault in self.faults}


async def audited(database_url: str, log_key: Path, kept: str | None = None, **scope: Any) -> Found:
    """Verify a database with the log's key in `log_key`."""
    verifier = FileLogKey(log_key).verifier
    known = None if kept is None else known_checkpoint(kept, LogKeys(verifier))
    faults: list[Fault] = []
    clock = scope.pop("clock", machine_clock)
    result = await verify(database_url, Scope(verifier=verifier, known=known, **scope), faults.append, clock=clock)
    assert result.faults == len(faults)
    return Found(result, faults)


@asynccontextmanager
async def opened_log(database_url: str, keys: Path) -> AsyncIterator[SealedLog]:
    """A log over an empty, migrated database."""
    key_store = DirectoryKeyStore(keys)
    store = await PostgresStore.connect(database_url, key_store)
    cases = CaseRepository(store, store.inbox, Lookups(await key_store.pepper()))
    try:
        async with opened_sealer(database_url, keys, ORIGIN) as sealer:
            yield SealedLog(database_url, keys, store, cases, sealer)
    finally:
        await store.close()


@asynccontextmanager
async def three_cases(database_url: str, keys: Path) -> AsyncIterator[SealedLog]:
    """Three cases of two, seven and four events, and a map seal over them."""
    async with opened_log(database_url, keys) as opened:
        await opened.open()
        for _ in range(3):
            await opened.file()
        await opened.authorize(await case(opened, 1))
        await opened.withdraw(await case(opened, 2))
        await opened.seal_map()
        yield opened


async def case(log: SealedLog, number: int) -> CaseId:
    """The case that was filed as number 0, 1 or 2."""
    found: CaseId = await log.value(f"SELECT case_id FROM passage.case_head ORDER BY filed_number OFFSET {number}")
    return found
