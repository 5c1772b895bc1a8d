"""One sealed log with something of everything, copied for each attack, and the forger's tools: what he writes, fits."""

import hashlib
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg

from cases.erasure import ErasureOrder, erase, hold
from cases.repository import CaseRepository
from domain.humanitarian_parole.stages.parole import WorkPermitApplication
from domain.humanitarian_parole.stages.sponsor import SponsorWithdrewNotice
from domain.kernel.ids import CaseId
from domain.kernel.messages import CapChange
from domain.kernel.proof import Proof
from eventstore.access import NotedCheck
from eventstore.format.envelope import NO_HASH, Columns, machine_clock, seal
from eventstore.format.lookups import Lookups
from eventstore.inbox import Incoming
from eventstore.keys import DirectoryKeyStore, master_file
from eventstore.postgres.store import PostgresStore
from stack.postgres.server import EmbeddedPostgres
from tests.support.filed import day
from tests.support.filings import PROGRAMME
from tests.support.sealed_log import Found, SealedLog, audited, opened_log

CASES = ("travels", "gave_back", "first", "second", "late", "refused", "erased", "kept", "asked")


@dataclass(frozen=True)
class Template:
    """A database to copy, the keys that belong to it, its cases by what became of them, and a kept checkpoint."""

    database: str
    keys: Path
    cases: dict[str, CaseId]
    kept: str


async def build(server: EmbeddedPostgres, template: str, keys: Path) -> Template:
    """The log: two places, two who got them, one who gave his back, two who wait, and whatever else may happen."""
    url = await server.ensure_database("attacked")
    await _execute(server.url(), 'DROP DATABASE "attacked"')
    await _execute(server.url(), f'CREATE DATABASE "attacked" TEMPLATE "{template}" STRATEGY FILE_COPY')
    async with opened_log(url, keys) as log:
        await log.open(places=2)
        cases = {name: await log.file() for name in CASES}
        for number, name in enumerate(("travels", "gave_back", "first", "second")):
            await log.authorize(cases[name], day(1 + number))
        await log.seal_map()
        kept = await log.checkpoint()
        await _live(log, cases)
        await log.seal()
    return Template("attacked", keys, cases, kept)


async def _live(log: SealedLog, cases: dict[str, CaseId]) -> None:
    check = NotedCheck(
        programme=PROGRAMME, carrier="key:carrier:1", case_id=cases["travels"], answer="ok", checked_at=day(10)
    )
    await log.store.access.note_check(check)
    await log.store.access.record_checks()
    await log.withdraw(cases["gave_back"], day(11))
    await log.say(cases["late"], SponsorWithdrewNotice(), day(11))
    due = await log.value(f"SELECT due_at FROM passage.case_head WHERE case_id = '{cases['late']}'")
    name = await log.value(f"SELECT due_name FROM passage.case_head WHERE case_id = '{cases['late']}'")
    await log.meet(cases["late"], name, due)
    await log.say(cases["refused"], WorkPermitApplication(), day(12))
    await log.withdraw(cases["erased"], day(12))
    await _forget(log, cases)
    await log.command_programme(CapChange(places=2), day(13))
    unread = Incoming(
        source="applicant", message_id="unread", case_id=cases["asked"], programme=None, body=WorkPermitApplication(),
        received_at=day(14), proof=Proof("key", "applicant", "1"),
    )  # fmt: skip
    await log.store.inbox.receive(unread)


async def _forget(log: SealedLog, cases: dict[str, CaseId]) -> None:
    keys = DirectoryKeyStore(log.keys)
    store = await PostgresStore.connect(log.database_url, keys, connections=2, role="passage_eraser")
    try:
        erasers = CaseRepository(store, store.inbox, Lookups(await keys.pepper()))
        first, second = Proof("operator", "o-1", "officer"), Proof("operator", "o-2", "officer")
        order = ErasureOrder(case_id=cases["erased"], first=first, second=second, because="retention-ended")
        await erase(erasers, keys, order, day(900))
        await hold(erasers, cases["kept"], first, "litigation", "hold:1", day(13))
    finally:
        await store.close()


@dataclass
class Attacked:
    """A copy of the log that somebody changes as superuser."""

    url: str
    keys: Path
    cases: dict[str, CaseId]
    kept: str

    async def sql(self, *statements: str) -> None:
        """In one transaction; triggers are off meanwhile, and as they were afterwards."""
        async with self.log() as log:
            await log.attack(*statements)

    async def plain(self, *statements: str) -> None:
        """In one transaction, and nothing else."""
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute("; ".join(statements))
        finally:
            await connection.close()

    async def value(self, query: str, *arguments: Any) -> Any:
        """One value, as superuser."""
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetchval(query, *arguments)
        finally:
            await connection.close()

    @asynccontextmanager
    async def log(self) -> AsyncIterator[SealedLog]:
        """The log with the operator's own sealer and key."""
        async with opened_log(self.url, self.keys) as opened:
            opened.filed = 100
            yield opened

    async def found(self, *, later: timedelta = timedelta(0), **scope: Any) -> Found:
        """What an auditor finds who has the keys of what is personal and kept no checkpoint, unless `kept` is given."""
        given = {"keys": DirectoryKeyStore(self.keys), **scope}
        return await audited(self.url, self.keys, clock=lambda: machine_clock() + later, **given)

    async def forge(self, stream: str, kind: str, body: dict[str, Any], **columns: Any) -> str:
        """Statements that append an event whose every byte fits, with its head moved along and a place in the queue."""
        connection = await asyncpg.connect(self.url)
        last = await connection.fetchrow(
            "SELECT * FROM passage.events WHERE stream = $1 ORDER BY version DESC LIMIT 1", stream
        )
        await connection.close()
        version, previous = (last["version"] + 1, last["hash"]) if last else (1, NO_HASH)
        given: dict[str, Any] = {
            "stream": stream, "version": version, "event_id": f"{stream}:{version}", "type": kind, "schema_version": 1,
            "happened_at": day(15), "recorded_at": machine_clock(), "actor": "passage", "command_id": "deadline:x:y",
            "key_id": None, "rules_digest": None, "public_body": json.dumps(body, separators=(",", ":")).encode(),
            "encrypted_body": None, "proof": "clock", "message_digest": hashlib.sha256(b"x").digest(),
            "received_at": None,
        } | columns  # fmt: skip
        row = seal(Columns(**given), previous)
        values = ", ".join(_literal(value) for value in row)
        return (
            f"INSERT INTO passage.events VALUES ({values}); "
            f"UPDATE passage.case_head SET version = {version}, hash = {_literal(row.hash)} "
            f"WHERE case_id = '{stream}'; "
            f"INSERT INTO passage.unsealed (stream, first_version, last_version) "
            f"VALUES ('{stream}', {version}, {version})"
        )

    async def sealed(self, *statements: str) -> None:
        """Make these changes, and let the operator's own sealer seal and sign what waits then."""
        async with self.log() as log:
            await log.attack(*statements)
            await log.seal()


def _literal(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case bytes():
            return f"'\\x{value.hex()}'::bytea"
        case int():
            return str(value)
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            return f"'{value.isoformat()}'"


@asynccontextmanager
async def attacked(server: EmbeddedPostgres, template: Template, number: int, folder: Path) -> AsyncIterator[Attacked]:
    """A copy of the log and its keys, for one attack."""
    name = f"attacked_{number}"
    await _execute(server.url(), f'CREATE DATABASE "{name}" TEMPLATE "{template.database}" STRATEGY FILE_COPY')
    keys = folder / "keys"
    shutil.copytree(template.keys, keys)
    shutil.copy(master_file(template.keys), master_file(keys))
    try:
        yield Attacked(server.url(name), keys, template.cases, template.kept)
    finally:
        await _execute(server.url(), f'DROP DATABASE "{name}" WITH (FORCE)')


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
