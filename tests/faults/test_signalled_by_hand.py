"""A case worked through Temporal alone, with raw JSON as the UI and the CLI send it: real activities, a real inbox."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
from temporalio.client import Client
from temporalio.service import RPCError

from activities.contracts import GATEWAY_ONLY, INBOX_ONLY, MESSAGE_SENDERS
from domain import registry
from domain.kernel.ids import scoped_id
from process.backing import open_backing
from simulation.demonstration.repeat import application
from tests.support.applicants import A_PERMIT, NOBODY_ANSWERS, in_colombia, passport, supporter, without_documents
from tests.support.invariants import reading
from tests.support.many_programmes import programme_named
from tests.support.performance import open_programme, until_all_closed
from tests.support.sender import Senders, senders_of
from tests.support.whole_stack import WholeStack
from workflows.signals import description

ANSWERED_WITHIN_S = 60
APPROVE = {"decision": "approve", "why": "seen"}

Said = tuple[str, dict[str, Any]]

LIVES: list[tuple[Any, list[Said], str | None]] = [
    (
        application,
        [
            ("sponsor.needs_review", {}),
            ("officer.decided", APPROVE),
            ("entry.mismatch", {}),
            ("officer.decided", {**APPROVE, "referral": 2}),
            ("vetting.referred", {}),
            ("officer.decided", {**APPROVE, "referral": 3}),
            ("authorization.extension_requested", {}),
            ("arrival.paroled", {}),
            ("work_permit.applied", {}),
            ("work_permit.eligible", {}),
        ],
        None,
    ),
    (
        application,
        [
            ("sponsor.confirmed", {}),
            ("entry.matched", {}),
            ("vetting.hit", {}),
            ("officer.decided", {"decision": "deny", "why": "name-match"}),
            ("officer.confirmed", {"officer": "o-2"}),
            ("officer.reconsidered", {"officer": "o-3", "why": "another-look"}),
        ],
        "denied",
    ),
    (
        application,
        [("sponsor.needs_review", {}), ("fact.retracted", {"of": 0, "source": "sponsor_registry"}),
         ("sponsor.not_confirmed", {})],
        "not_confirmed",
    ),
    (
        without_documents,
        [("sponsor.confirmed", {}), ("entry.not_found", {}), ("evidence.submitted", {}), ("vetting.cleared", {}),
         ("passport.changed", {}), ("vetting.cleared", {}), ("arrival.refused", {})],
        "refused_at_port",
    ),
    (
        application,
        [("sponsor.withdrew", {}), ("sponsor.replaced", {}), ("application.withdrawn", {})],
        "withdrawn",
    ),
    (
        in_colombia,
        [("sponsor.confirmed", {}), ("vetting.cleared", {}), ("border.irregular_crossing", {})],
        "revoked",
    ),
    (
        in_colombia,
        [("sponsor.confirmed", {}), ("vetting.cleared", {}), ("arrival.paroled", {}), ("work_permit.applied", {}),
         ("work_permit.ineligible", {})],
        None,
    ),
]  # fmt: skip
"""Who files, what is signalled then, and the outcome; a kind whose content is personal is sent to the gateway first.

`of` is the place of what is taken back."""


@dataclass
class Operator:
    """Somebody at the Temporal UI, who also reads the database."""

    temporal: Client
    database: asyncpg.Connection
    senders: Senders

    async def signal(self, case_id: str, kind: str, message_id: str, fields: dict[str, Any]) -> asyncpg.Record:
        """Signal what the UI shows as an example, but for `fields`; the inbox row once it is answered.

        The embedded stack takes it unsigned. Its id is the case's own there, unless it names what is in the inbox.
        """
        shown = re.search(r"\{.*\}", description(kind))
        assert shown
        payload = {**json.loads(shown.group()), "message_id": message_id, **fields}
        await self.temporal.get_workflow_handle(case_id).signal(kind, payload)
        source = payload.get("source") or MESSAGE_SENDERS[kind][0]
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            while True:
                row = await self.database.fetchrow(
                    "SELECT * FROM passage.inbox WHERE source = $1 AND stream = $2 AND kind = $3 "
                    "AND (message_id = $4 OR $5) AND answer IS NOT NULL ORDER BY number DESC",
                    source,
                    case_id,
                    kind,
                    scoped_id(case_id, message_id),
                    kind in INBOX_ONLY,  # the gateway kept another id
                )
                if row is not None:
                    return row
                await asyncio.sleep(0.05)

    async def until_shown(self, case_id: str) -> None:
        """Until the UI has the case."""
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            while True:
                with contextlib.suppress(RPCError):  # not found
                    await self.temporal.get_workflow_handle(case_id).describe()
                    return
                await asyncio.sleep(0.05)

    async def live(self, case_id: str, said: list[Said], person: int) -> None:
        """Signal all of it, each accepted; officers come to the gateway. What only Temporal had is not proved."""
        await self.until_shown(case_id)
        ids: list[str] = []
        for kind, given in said:
            message_id = self.senders.new_id()
            fields = {**given, "of": ids[given["of"]]} if "of" in given else given
            ids.append(scoped_id(case_id, message_id))
            if kind in INBOX_ONLY:
                content = personal_content(kind, person)
                await self.senders.post("applicant", message_id, {"case": case_id, "message": kind, **content})
            if kind in GATEWAY_ONLY:
                reply = await self.senders.say("officer", case_id, kind, **{"officer": "o-1", **fields})
                assert (reply.answer, reply.code) == ("accepted", None)
                continue
            row = await self.signal(case_id, kind, message_id, fields)
            assert (row["stream"], row["kind"], row["answer"], row["code"]) == (case_id, kind, "accepted", None)
            if kind not in INBOX_ONLY:
                assert row["proof"] == f"none:{row['source']}"


def personal_content(kind: str, person: int) -> dict[str, Any]:
    match kind:
        case "evidence.submitted":
            return A_PERMIT
        case "passport.changed":
            return {"passport": passport(f"17{person:07}").model_dump(mode="json", exclude_none=True)}
        case _:
            return {"supporter": supporter(person + 500).model_dump(mode="json", exclude_none=True)}


@contextlib.asynccontextmanager
async def operating(stack: WholeStack, number: int, persons: int) -> AsyncIterator[Operator]:
    """An operator, a programme of their own, and partners that say nothing."""
    settings, programme = stack.settings, programme_named(number)
    database = await asyncpg.connect(settings.required_database_url)
    temporal = await Client.connect(settings.temporal["target_host"], identity="ana ops.example")
    try:
        async with senders_of(settings, programme) as senders, open_backing(settings) as backing:
            await open_programme(backing, programme)
            await senders.script(range(1000 * number, 1000 * number + persons), NOBODY_ANSWERS)
            yield Operator(temporal, database, senders)
            await senders.command_programme("programme.terminated", parole_ends_on="2022-10-20")
            await until_all_closed(settings, programme)
    finally:
        await database.close()


async def test_each_kind_of_message_can_be_signalled(stack: WholeStack, number: int) -> None:
    cases = []
    async with operating(stack, number, len(LIVES)) as operator:
        for person, (who, said, _) in enumerate(LIVES, start=1000 * number):
            cases.append(await operator.senders.file(who(person)))
            await operator.live(cases[-1], said, person)

    async with reading(stack.settings) as log:
        outcomes = [log.heads[case_id]["outcome"] for case_id in cases]
        assert outcomes == [outcome or "completed" for _, _, outcome in LIVES]
        assert await log.faults() == []


def test_each_kind_is_among_them() -> None:
    tried = {kind for _, said, _ in LIVES for kind, _ in said}
    assert tried == set(registry.signals()) - {"application.submitted", "programme.changed", "place.offered"}


async def test_an_id_is_the_cases_own_and_other_content_under_it_is_refused_aloud(
    stack: WholeStack, number: int
) -> None:
    """The UI's example is `ops-1`, which people send as it stands, and a batch signal sends to many cases."""
    async with operating(stack, number, 2) as operator:
        first, second = [await operator.senders.file(application(1000 * number + index)) for index in range(2)]
        message_id = operator.senders.new_id()
        await operator.live(second, [], 0)
        await operator.live(first, [], 0)
        for case_id in (first, second):
            row = await operator.signal(case_id, "sponsor.needs_review", message_id, {})
            assert row["answer"] == "accepted"
        await operator.temporal.get_workflow_handle(first).signal("sponsor.confirmed", {"message_id": message_id})
        stack.until(lambda: len(alarms(stack, first)) == 1, "it to be refused")
        assert alarms(stack, second) == []


def alarms(stack: WholeStack, case_id: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in stack.log_of("worker").splitlines() if case_id in line]
    return [line for line in lines if line.get("alarm") and line["code"] == "message-content-differs"]
