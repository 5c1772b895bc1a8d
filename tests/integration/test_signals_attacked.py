"""Whoever reaches Temporal's address, and nothing else: what they signal to the workers of a deployment."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.testing import WorkflowEnvironment

from activities.contracts import GATEWAY_ONLY, MESSAGE_SENDERS, DirectMessage, Notification
from activities.direct import signed_body
from activities.notify import start
from activities.partners.agreements import read_agreements
from cases.clock import Clock, ScaledClock, SystemClock
from cases.inbound.senders import Senders
from cases.inbound.webhooks import Signer, Verifier, new_shared_key, sign
from cli.main import application, exit_code
from domain import registry
from eventstore.conflicts import StoreUnavailable
from tests.support.gateway import NOON, Desk, gateway_desk
from tests.support.memory_partners import MemoryPartners
from worker import case_workers

ANOTHER = {"number": "V7", "issuing_country": "VEN", "issued_on": "2021-03-01", "expires_on": "2099-03-01"}
KEYS = {sender: new_shared_key() for sender in registry.senders()}
OF_A_STRANGER = new_shared_key()
STRICT = Senders({sender: (Verifier.parse(key),) for sender, key in KEYS.items()}, unsigned=False)
REFUSED = "SELECT code, message_id FROM passage.refusal WHERE route = 'temporal-signal' ORDER BY message_id"
OF_TYPE = "FROM passage.events WHERE stream = $1 AND type = $2"
EVENTS = "SELECT type FROM passage.events WHERE stream = $1 ORDER BY version"


def payload(case_id: str, kind: str, key: str | None, message_id: str, **fields: Any) -> dict[str, Any]:
    """A signal as somebody sends it who holds `key`."""
    plain = {"message_id": message_id, **fields}
    if key is None:
        return plain
    body = signed_body(case_id, DirectMessage(message=kind, notification=Notification.model_validate(plain)))
    headers = sign([Signer.parse(key)], message_id, datetime.now(UTC), body)
    return {**plain, "signed_at": headers["webhook-timestamp"], "signatures": [headers["webhook-signature"]]}


@dataclass
class Stage:
    """A case that Temporal runs, and a client of Temporal's address alone."""

    desk: Desk
    ours: Client
    attacker: Client
    clock: Clock

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """The workers of a deployment."""
        partners = MemoryPartners(lambda: datetime.now(UTC))
        backing = replace(self.desk.backing, clock=self.clock)
        async with AsyncExitStack() as stack:
            for worker in case_workers(self.ours, backing, partners.clients(), read_agreements(), STRICT):
                await stack.enter_async_context(worker)
            yield

    async def signal(self, case_id: str, kind: str, content: dict[str, Any]) -> None:
        await self.attacker.get_workflow_handle(case_id).signal(kind, content)

    async def until(self, wanted: str, query: str, *arguments: Any) -> None:
        """Until one column of the query's rows holds `wanted`."""
        async with asyncio.timeout(45):
            while wanted not in [row[0] for row in await self.desk.database.fetch(query, *arguments)]:  # noqa: ASYNC110  a database gives no event
                await asyncio.sleep(0.05)

    async def details(self, case_id: str) -> str:
        """What the Temporal UI shows of the case."""
        found: Any = await self.attacker.get_workflow_handle(case_id).query("__temporal_workflow_metadata")
        return str(found.current_details)

    async def until_shown(self, case_id: str, words: str) -> str:
        """Until the UI shows these words of the case; all that it shows then."""
        async with asyncio.timeout(15):
            while words not in (shown := await self.details(case_id)):  # noqa: ASYNC110  a query gives no event
                await asyncio.sleep(0.1)
        return shown

    async def until_found(self, number: int, query: str) -> None:
        """Until Temporal finds so many."""
        async with asyncio.timeout(15):
            while (await self.attacker.count_workflows(query)).count < number:  # noqa: ASYNC110  a count gives no event
                await asyncio.sleep(0.1)

    async def events(self, case_id: str) -> list[str]:
        return [row[0] for row in await self.desk.database.fetch(EVENTS, case_id)]


@pytest.fixture
async def stage(database_url: str, tmp_path: Path, dev_server: WorkflowEnvironment) -> AsyncIterator[Stage]:
    attacker = await Client.connect(dev_server.client.service_client.config.target_host, identity="anybody")
    async with gateway_desk(database_url, tmp_path / "keys") as desk:
        yield Stage(desk, dev_server.client, attacker, SystemClock())
        async for run in attacker.list_workflows("ExecutionStatus = 'Running'"):
            await attacker.get_workflow_handle(run.id).terminate(reason="the test is over")


async def filed(stage: Stage, key: str = "filing-1", **beneficiary: Any) -> str:
    case_id = await stage.desk.filed_case(key, **beneficiary)
    await start(stage.ours, case_id, WorkflowIDReusePolicy.ALLOW_DUPLICATE)
    await stage.until("SponsorConfirmationRequested", EVENTS, case_id)
    return case_id


def attacks(case_id: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Signals, each with the code that refuses it."""
    unsigned = [
        (kind, "not-by-signal" if kind in GATEWAY_ONLY else "signature-missing",
         {**(registry.signals()[kind][0].example or {})})
        for kind in MESSAGE_SENDERS if registry.signals()[kind][0].example is not None
    ]  # fmt: skip
    found = [(kind, code, {"message_id": f"plain-{kind}", **fields}) for kind, code, fields in unsigned]
    kind, own = "sponsor.confirmed", KEYS["sponsor_registry"]
    good = payload(case_id, kind, own, "of-another")
    stale = {**payload(case_id, kind, own, "stale"), "signed_at": "1600000000"}
    elsewhere = payload("VEN-7Q4K-M2XD", kind, own, "elsewhere")
    officer = payload(case_id, "officer.decided", KEYS["officer"], "officer", officer="o-1", decision="deny")
    return [
        *found,
        (kind, "signature-wrong", payload(case_id, kind, OF_A_STRANGER, "forged")),
        (kind, "signature-wrong", payload(case_id, kind, KEYS["vetting"], "another-partners")),
        (kind, "signature-wrong", {**good, "message_id": "renamed"}),
        (kind, "signature-wrong", elsewhere),
        ("sponsor.needs_review", "signature-wrong", {**good, "message_id": "of-another-kind"}),
        (kind, "wrong-sender", {**good, "message_id": "as-passage", "source": "passage"}),
        (kind, "signature-stale", stale),
        ("officer.decided", "not-by-signal", officer),
        ("evidence.submitted", "content-not-in-inbox", {"message_id": "nowhere"}),
    ]


async def test_from_temporals_address_alone_nothing_is_taken_and_each_try_is_refused_and_visible(stage: Stage) -> None:
    async with stage.working():
        case_id = await filed(stage)
        before = await stage.events(case_id)
        tried = attacks(case_id)
        for kind, _, content in tried:
            await stage.signal(case_id, kind, content)
        last = tried[-1][2]["message_id"]
        await stage.until(last, "SELECT message_id FROM passage.refusal")
        kept = {row["message_id"]: row["code"] for row in await stage.desk.database.fetch(REFUSED)}
        assert kept == {content["message_id"]: code for _, code, content in tried}
        assert await stage.events(case_id) == before
        assert await stage.desk.rows() == 1
        shown = await stage.until_shown(case_id, "nowhere")
        assert "Signal refused" in shown
        assert "content-not-in-inbox" in shown


async def test_a_signed_signal_is_its_partners_word_once_and_at_the_moment_it_came(stage: Stage) -> None:
    async with stage.working():
        case_id = await filed(stage)
        # A decoy that names the id of a message to come makes nothing of it any earlier.
        await stage.signal(case_id, "vetting.hit", {"message_id": "decoy", "kind": "late-1"})
        await stage.until("decoy", "SELECT message_id FROM passage.refusal")
        came = datetime.now(UTC)
        good = payload(case_id, "sponsor.needs_review", KEYS["sponsor_registry"], "late-1", flags=["name-match"])
        for _ in range(2):
            await stage.signal(case_id, "sponsor.needs_review", good)
        await stage.until("ReferredToOfficer", EVENTS, case_id)
        found = await stage.desk.database.fetch(
            "SELECT proof, actor, received_at FROM passage.events WHERE stream = $1 AND type = 'ReferredToOfficer'",
            case_id,
        )
        assert [tuple(row)[:2] for row in found] == [
            (f"key:sponsor_registry:{STRICT.keys['sponsor_registry'][0].fingerprint}", "sponsor_registry")
        ]
        assert found[0]["received_at"] >= came


async def test_what_a_terminated_run_was_signalled_is_taken_by_the_next(stage: Stage) -> None:
    async with stage.working():
        case_id = await filed(stage)
    await stage.signal(
        case_id, "sponsor.confirmed", payload(case_id, "sponsor.confirmed", KEYS["sponsor_registry"], "s")
    )
    came = datetime.now(UTC)
    await stage.attacker.get_workflow_handle(case_id).terminate(reason="replaced by an operator")
    await asyncio.sleep(2)
    await start(stage.ours, case_id, WorkflowIDReusePolicy.ALLOW_DUPLICATE)
    async with stage.working():
        await stage.until("SponsorConfirmed", EVENTS, case_id)
    received_at = await stage.desk.database.fetchval(f"SELECT received_at {OF_TYPE}", case_id, "SponsorConfirmed")
    assert received_at < came + timedelta(seconds=1)


async def test_an_arrival_signalled_in_time_is_not_beaten_by_the_limit_while_the_database_was_away(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """90 days pass in 15 seconds, 13 of them without a database."""
    case_id = await stage.desk.authorized_case()
    stage.clock = ScaledClock(NOON, datetime.now(UTC), 90 * 86_400 / 15)
    see, away = stage.desk.backing.cases.see, asyncio.Event()

    async def seen(*arguments: Any) -> Any:
        if away.is_set():
            raise StoreUnavailable("away")
        return await see(*arguments)

    monkeypatch.setattr(stage.desk.backing.cases, "see", seen)
    async with stage.working():
        await start(stage.ours, case_id, WorkflowIDReusePolicy.ALLOW_DUPLICATE)
        await stage.until_shown(case_id, "travel_authorization")
        away.set()
        # Something to look for, so that an activity is tried again and again from now on.
        await stage.signal(case_id, "vetting.hit", {"message_id": "noise", "kind": "noise"})
        await asyncio.sleep(1)
        arrival = payload(case_id, "arrival.paroled", KEYS["border"], "arrived", port="MIA", by="air")
        await stage.signal(case_id, "arrival.paroled", arrival)
        await asyncio.sleep(15)
        away.clear()
        await stage.until("ParoleGranted", EVENTS, case_id)
    assert "TravelAuthorizationExpired" not in await stage.events(case_id)


async def test_one_command_signs_the_same_word_for_each_case(
    stage: Stage, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PASSAGE_DATABASE_URL", database_url)
    monkeypatch.setenv("PASSAGE_KEYS_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("PASSAGE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TEMPORAL_ADDRESS", stage.attacker.service_client.config.target_host)
    (tmp_path / "keys.json").write_text(json.dumps({"sponsor_registry": [KEYS["sponsor_registry"]]}))
    (tmp_path / "keys.json").chmod(0o600)
    async with stage.working():
        cases = [await filed(stage), await filed(stage, "filing-2", given_names="Eva", passport=ANOTHER)]
        said = [
            "case",
            "signal",
            "sponsor.needs_review",
            "--message-id",
            "outage-7",
            "--input",
            '{"flags": ["income"]}',
        ]
        asked = [*said, "--query", 'WaitingOn="sponsor"', "--keys", str(tmp_path / "keys.json")]
        await stage.until_found(2, 'WaitingOn="sponsor" AND ExecutionStatus="Running"')
        assert await asyncio.to_thread(exit_code, lambda: application()(asked, standalone_mode=False)) == 0
        printed = capsys.readouterr().out
        assert all(case_id in printed for case_id in cases)
        for case_id in cases:
            await stage.until("ReferredToOfficer", EVENTS, case_id)
        officers = ["case", "signal", "officer.decided", "--case", cases[0], "--message-id", "o"]
        assert await asyncio.to_thread(exit_code, lambda: application()(officers, standalone_mode=False)) == 2
