"""`passage inbox` as an operator types it: what came, what was answered, what waits, and ringing for it anew."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from eventstore.operations import DEAD_AFTER
from tests.support.gateway import Desk, gateway_desk
from tests.support.stack import run_passage

SECRETS = ("Pérez", "María", "Gómez", "000000001")


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


@pytest.fixture
def inbox(database_url: str, tmp_path: Path) -> Any:
    async def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {"PASSAGE_DATABASE_URL": database_url, "PASSAGE_KEYS_DIR": str(tmp_path / "keys")}
        done = await asyncio.to_thread(run_passage, "inbox", *words, cwd=tmp_path, environment=environment)
        assert not any(secret in done.stdout + done.stderr for secret in SECRETS)
        return done

    return run


async def lines(inbox: Any, *words: str) -> list[dict[str, Any]]:
    done = await inbox(*words, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_messages_are_listed_with_their_answers(desk: Desk, inbox: Any) -> None:
    case_id = await desk.filed_case()
    await desk.take_all(case_id)
    await desk.send("vetting", "v-1", {"case": case_id, "message": "vetting.cleared"})
    await desk.take_all(case_id)
    await desk.send("applicant", "a-1", {"case": case_id, "message": "application.withdrawn"})
    found, kept = await lines(inbox, "list"), desk.deps.cases.message_id("applicant", "a-1")
    assert [(each["message_id"], each["state"], each["code"], each["deliveries"]) for each in found] == [
        (kept, "undecided", None, 1),
        ("v-1", "rejected", "no-open-request", 1),
        (found[2]["message_id"], "accepted", None, 1),
    ]
    assert [each["message_id"] for each in await lines(inbox, "list", "--undecided")] == [kept]
    assert [each["message_id"] for each in await lines(inbox, "list", "--partner", "vetting")] == ["v-1"]
    assert await lines(inbox, "list", "--case", "VEN-1111-1111") == []
    table = (await inbox("list")).stdout.splitlines()
    assert table[0].split()[:2] == ["NUMBER", "RECEIVED"]
    assert table[2].endswith("rejected (no-open-request)")


async def test_one_message_is_shown_by_its_number_or_its_id_in_the_record(desk: Desk, inbox: Any) -> None:
    case_id = await desk.filed_case()
    await desk.send("applicant", "a-1", {"case": case_id, "message": "application.withdrawn"})
    by_id = await inbox("show", f"applicant:{desk.deps.cases.message_id('applicant', 'a-1')}")
    assert by_id.stdout == (await inbox("show", "2")).stdout
    assert f"2  application.withdrawn about {case_id}" in by_id.stdout
    assert "known by none:applicant" in by_id.stdout
    missing = await inbox("show", "applicant:a-2")
    assert (missing.returncode, len(missing.stderr.splitlines())) == (2, 1)
    assert (await inbox("show", "nonsense")).returncode == 2


async def test_what_no_worker_takes_is_dead_until_it_is_notified_anew(desk: Desk, inbox: Any) -> None:
    case_id = await desk.filed_case()
    for _ in range(DEAD_AFTER):
        await desk.deps.inbox.claim_notifications(10)
        await desk.database.execute("UPDATE passage.notification SET notified_at = now() - interval '31 seconds'")
    await desk.deps.inbox.mark_notified([1])
    assert [each["state"] for each in await lines(inbox, "list", "--dead")] == ["dead"]
    assert await desk.deps.inbox.claim_notifications(10) == ()
    assert await lines(inbox, "redrive", "--dead") == [{"number": 1, "stream": case_id, "notified": True}]
    assert [row.number for row in await desk.deps.inbox.claim_notifications(10)] == [1]
    assert await lines(inbox, "list", "--dead") == []


async def test_what_has_its_answer_is_not_notified_and_that_is_said(desk: Desk, inbox: Any) -> None:
    case_id = await desk.filed_case()
    await desk.take_all(case_id)
    done = await inbox("redrive", "1")
    assert (done.returncode, done.stdout.split()[-3:]) == (1, ["has", "its", "answer"])
    assert (await inbox("redrive")).returncode == 2
    assert (await inbox("redrive", "77")).returncode == 2


async def test_refusals_are_listed(desk: Desk, inbox: Any) -> None:
    assert "Nothing was refused" in (await inbox("refusals")).stdout
    await desk.database.execute(
        "SELECT passage.record_refusals('{vetting}', '{/v1}', '{signature-wrong}', '{\"\"}', '{m-1}', '{3}')"
    )
    assert [(each["partner"], each["code"], each["times"]) for each in await lines(inbox, "refusals")] == [
        ("vetting", "signature-wrong", 3)
    ]
    assert await lines(inbox, "refusals", "--partner", "border") == []
