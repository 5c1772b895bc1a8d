"""What befalls the people of `canary.py` on a whole stack: every kind of message, and failures of every kind."""

import asyncio
import contextlib
import gzip
import json
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx2
from temporalio.client import Client

from domain.humanitarian_parole.stages.filing import Filed
from process.backing import open_backing
from simulators.scripts import SILENT, FaultProfile, PartnerScript, PartnerScripts
from tests.support import canary
from tests.support.canary import FOREIGN, found_in, on_the_wire
from tests.support.sender import Senders, senders_of
from tests.support.whole_stack import WholeStack

PROGRAMME = "venezuela-air"

STAMMERS = PartnerScripts(
    sponsor_registry=PartnerScript(answer="none", faults=FaultProfile(malformed=1, oversized=1, misdirected=1)),
    entry_records=SILENT,
    vetting=SILENT,
    work_permit_office=SILENT,
)
DENIES = {"officer": "o-1", "decision": "deny", "why": "Pwhyquark, he says"}
APPROVES = {**DENIES, "decision": "approve"}
FLAGS = {"flags": ["Pflagwhistle, seen twice", "Pflagwhistle"]}
CROSSED = {"country": "PAN", "crossed_at": "1987-03-20T07:41:13-05:00"}


class Story:
    """What befalls the people, and what else is read of them meanwhile."""

    def __init__(self, stack: WholeStack, senders: Senders, database: asyncpg.Connection, temporal: Client) -> None:
        self.stack = stack
        self.senders = senders
        self.database = database
        self.temporal = temporal
        self.cases: list[str] = []
        self.read: dict[str, bytes] = {}
        """What anybody may read of the cases, by where."""

    async def file(self, number: int, *, documents: bool = True) -> str:
        case_id = await self.senders.file_and_wait(canary.application(number, documents=documents))
        self.cases.append(case_id)
        return case_id

    async def hear(self, case_id: str, *said: tuple[Any, str, dict[str, Any]], answer: str = "accepted") -> None:
        for by, message, fields in said:
            found = await self.senders.say(by, case_id, message, **fields)
            assert found.answer == answer, (message, found)

    async def until_temporal_shows(self, case_id: str, code: str) -> None:
        """Until an activity of the case has failed with `code`, as operators see it."""
        async with asyncio.timeout(90):
            while True:
                handle = self.temporal.get_workflow_handle(case_id)
                shown = str((await handle.describe()).raw_description) + (await handle.fetch_history()).to_json()
                if code in shown:
                    return
                await asyncio.sleep(0.1)

    def passage(self, *arguments: str) -> None:
        """Run a command, which must do what it says, and keep what it prints."""
        done = self.stack.passage(*arguments)
        assert done.returncode == 0, done.stderr
        self.read[f"passage {' '.join(arguments)}"] = (done.stdout + done.stderr).encode()


async def nobody_is_understood(story: Story) -> None:
    """Bodies, addresses and headers that are wrong in every way, each full of somebody."""
    filed: dict[str, Any] = {"programme": PROGRAMME, "application": on_the_wire(canary.application(9))}
    person = filed["application"]["beneficiary"]
    wrong: list[Any] = [
        {**filed, "Xaviqueña": 1},
        {**filed, "application": {**filed["application"], "supporter": "Zephyrinda Thistlewyck"}},
        {**filed, "application": {**filed["application"], "beneficiary": {**person, "birth_date": "Ñurquimbao"}}},
        {**filed, "application": {**filed["application"], "beneficiary": {**person, "nationalities": "Xaviqueña"}}},
        json.dumps(filed).encode()[:-2],
        json.dumps(filed).encode("utf-16"),
        b'{"programme": "Thistlewyck' + b"x" * 2_000_000,
    ]
    responses = [await story.senders.post_application(body) for body in wrong]
    case_id = story.cases[0]
    spoken: list[dict[str, Any]] = [
        {"case": case_id, "message": "vetting.hit", "kind": ["Pkindgrue"]},
        {"case": case_id, "message": "Pkindgrue"},
        {"case": "Ñurquimbao", "message": "vetting.hit"},
        {"case": case_id, "message": "officer.decided", **APPROVES},
        {"case": case_id, "message": "vetting.hit", "Pkindgrue looks alike": True},
    ]
    responses += [await story.senders.post("vetting", story.senders.new_id(), body) for body in spoken]
    responses += [await story.senders.post("vetting", story.senders.new_id(), spoken[0], signed=False)]
    responses += [await story.senders.post("vetting", "QX7731949 of Nurquimbao", spoken[0])]
    gateway = story.stack.settings.gateway_url
    responses += [await story.senders.http.get(f"{gateway}/{path}?passport=QX7731949")
                  for path in ("v1/cases/QX7731949", "Thistlewyck", "v1/cases")]  # fmt: skip
    for response in responses:
        assert 400 <= response.status_code < 500
        assert found_in(response.content) == set()


async def a_life_with_everything(story: Story) -> None:
    case_id = await story.file(0)
    await nobody_is_understood(story)
    await story.hear(
        case_id,
        ("sponsor_registry", "sponsor.needs_review", FLAGS),
        ("officer", "officer.decided", APPROVES),
        ("entry_records", "entry.mismatch", {"fields": ["Pfieldzorb of 1987"]}),
        ("officer", "officer.decided", APPROVES),
        ("vetting", "vetting.referred", FLAGS),
        ("officer", "officer.decided", APPROVES),
    )
    await a_passport_that_the_database_refuses(story, case_id)
    another = {"supporter": on_the_wire(canary.supporter(8))}
    await story.hear(
        case_id,
        ("vetting", "vetting.cleared", {"findings": [{"kind": "removal_order", "dated": "1987-03-20"}]}),
        ("supporter", "sponsor.withdrew", {}),
        ("applicant", "sponsor.replaced", another),
        ("sponsor_registry", "sponsor.confirmed", {}),
        ("supporter", "authorization.extension_requested", {}),
        ("border", "arrival.paroled", {"port": "MIA"}),
        ("border", "border.irregular_crossing", CROSSED),
        ("applicant", "work_permit.applied", {}),
    )
    await story.until_temporal_shows(case_id, "partner-refused")
    await story.hear(case_id, ("work_permit_office", "work_permit.ineligible", {"why": "Pwhyoffice, twice"}))


async def a_passport_that_the_database_refuses(story: Story, case_id: str) -> None:
    """Postgres writes whole rows into its errors: at the gateway's insert first, then at the worker's."""
    changed = {"passport": on_the_wire(canary.passport("QX8842050")), "surnames": "Vreelandova"}
    body = {"case": case_id, "message": "passport.changed", **changed}
    async with constraint(story.database, "inbox", "kind <> 'passport.changed'"):
        response = await story.senders.post("applicant", story.senders.new_id(), body)
        assert response.status_code >= 500
        assert found_in(response.content) == set()
    async with constraint(story.database, "events", "type <> 'PassportChanged'"):
        hearing = asyncio.create_task(story.hear(case_id, ("applicant", "passport.changed", changed)))
        await story.until_temporal_shows(case_id, "internal")
    await asyncio.to_thread(story.passage, "case", "restart", case_id, "--replace")
    await hearing


@contextlib.asynccontextmanager
async def constraint(database: asyncpg.Connection, table: str, condition: str) -> AsyncIterator[None]:
    """A rule of the table that new rows break."""
    await database.execute(f"ALTER TABLE passage.{table} ADD CONSTRAINT canary CHECK ({condition}) NOT VALID")
    try:
        yield
    finally:
        await database.execute(f"ALTER TABLE passage.{table} DROP CONSTRAINT canary")


async def shorter_lives(story: Story) -> None:
    refused = await story.file(1)
    await story.hear(refused, ("sponsor_registry", "sponsor.not_confirmed", {"why": "Pwhypartner"}))
    await story.hear(refused, ("officer", "officer.decided", DENIES), answer="rejected")

    denied = await story.file(2, documents=False)
    weak = on_the_wire(canary.document(2, issued_on=None))
    strong = on_the_wire(canary.document(3))
    await story.hear(
        denied,
        ("sponsor_registry", "sponsor.confirmed", {}),
        ("entry_records", "entry.not_found", {}),
        ("applicant", "evidence.submitted", {"documents": [weak]}),
        ("applicant", "evidence.submitted", {"documents": [strong]}),
        ("vetting", "vetting.hit", {"kind": "Pkindgrue looks alike"}),
        ("officer", "officer.decided", DENIES),
        ("officer", "officer.confirmed", {"officer": "o-2"}),
    )

    returned = await story.file(3)
    matched = {"entered_at": canary.ENTERED_AT.isoformat(), "place": "Xochimehuaq", "manner": "regular"}
    await story.hear(
        returned,
        ("sponsor_registry", "sponsor.confirmed", {}),
        ("entry_records", "entry.matched", matched),
        ("vetting", "vetting.cleared", {}),
        ("border", "arrival.refused", {"port": "MIA", "why": "Pwhyborder"}),
    )
    again = await story.senders.file(canary.application(0))  # the same person, whose first case is open
    await story.hear(again, ("applicant", "application.withdrawn", {}), answer="rejected")


async def while_things_die(story: Story) -> None:
    """An answer that waits for the programme, and everything killed around it."""
    case_id = await story.file(4)
    await story.hear(
        case_id,
        ("sponsor_registry", "sponsor.confirmed", {}),
        ("entry_records", "entry.matched", {"place": "Xochimehuaq"}),
    )
    assert (await story.senders.command_programme("programme.suspended")).answer == "accepted"
    for name in ("worker", "gateway", "relay"):
        before = story.stack.kill(name)
        await story.hear(case_id, ("vetting", "vetting.hit", {"kind": "Pkindgrue"}))
        await asyncio.to_thread(story.stack.wait_for_another, name, before)
    backend = await story.database.fetchval(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'passage' AND pid <> pg_backend_pid() LIMIT 1"
    )
    os.kill(backend, signal.SIGKILL)  # Postgres tells what it was doing, and starts over
    assert (await story.senders.command_programme("programme.resumed")).answer == "accepted"
    await story.hear(case_id, ("officer", "officer.decided", {**DENIES, "referral": 1}))


async def somebody_writes_into_temporal(story: Story) -> None:
    """Past every check of ours; what they write stays where they wrote it."""
    plain = await Client.connect(story.stack.settings.temporal["target_host"])
    handle = plain.get_workflow_handle(story.cases[0])
    for name in ("vetting.hit", "officer.decided", "no.such.signal"):
        await handle.signal(name, FOREIGN)
        await handle.signal(name, {"message_id": "m", "why": f"{FOREIGN} is her name", FOREIGN: 1})
        await handle.signal(name, args=[{"message_id": FOREIGN, "port": FOREIGN}, FOREIGN])
    await plain.start_workflow("Case", {"case_id": FOREIGN}, id="not-a-case", task_queue="cases")
    with contextlib.suppress(Exception):  # fails, which is all that it can do
        await plain.get_workflow_handle("not-a-case").result()


async def read_all(story: Story) -> None:
    """Everything that is shown to people and machines who may not see personal data."""
    gateway = story.stack.settings.gateway_url
    for path in ("metrics", f"v1/programmes/{PROGRAMME}", "openapi.json"):
        story.read[path] = (await story.senders.http.get(f"{gateway}/{path}")).content
    for case_id in story.cases:
        for path in (f"v1/cases/{case_id}", f"v1/cases/{case_id}/events"):
            response = await story.senders.http.get(f"{gateway}/{path}")
            assert response.status_code == httpx2.codes.OK
            story.read[path] = response.content
        for command in ("show", "history"):
            await asyncio.to_thread(story.passage, "case", command, case_id)
    await asyncio.to_thread(story.passage, "case", "list", "--json")
    await asyncio.to_thread(story.passage, "inbox", "list", "--json")
    await asyncio.to_thread(story.passage, "inbox", "refusals", "--json")
    await read_temporal(story)
    await read_tables(story)


async def read_temporal(story: Story) -> None:
    async for execution in story.temporal.list_workflows():
        handle = story.temporal.get_workflow_handle(execution.id, run_id=execution.run_id)
        story.read[f"history of {execution.id}"] = (await handle.fetch_history()).to_json().encode()
        story.read[f"description of {execution.id}"] = str((await handle.describe()).raw_description).encode()


async def read_tables(story: Story) -> None:
    """All columns of all rows of all tables, as text."""
    database = await asyncpg.connect(story.stack.settings.required_database_url)
    tables = await database.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT LIKE 'pg\\_%'"
    )
    for table in tables:
        rows = await database.fetch(f"SELECT t::text AS text FROM {table['name']} AS t")
        story.read[f"table {table['name']}"] = "\n".join(row["text"] for row in rows).encode()
    for row in await database.fetch("SELECT run_id, content FROM passage.run_history"):
        story.read[f"kept history of run {row['run_id']}"] = gzip.decompress(row["content"])
    await database.close()


async def whole_story(stack: WholeStack) -> Story:
    settings = stack.settings
    database = await asyncpg.connect(settings.required_database_url)
    temporal = await Client.connect(settings.temporal["target_host"])
    async with senders_of(settings, PROGRAMME) as senders, open_backing(settings) as backing:
        story = Story(stack, senders, database, temporal)
        await a_life_with_everything(story)
        await shorter_lives(story)
        await while_things_die(story)
        await somebody_writes_into_temporal(story)
        await read_all(story)
        case = await backing.cases.case(story.cases[0])
        beneficiary = case.of(Filed).beneficiary
        assert beneficiary is not None
        assert beneficiary.surnames == "Vreelandova"  # the log knows them: there was something to be found
    return story
