"""Whoever has access to Temporal may signal a case directly; what cannot be read changes nothing."""

import asyncio
import json
import re

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.contracts import INBOX_ONLY
from domain import registry
from tests.support.desk import Desk, details, working
from tests.support.temporal import binary
from workflows.signals import description

DIRECT = [kind for kind in registry.signals() if kind not in INBOX_ONLY]

CLOSING = b"workflow is closing"
"""What the server says while a run gives way to the next; whoever typed it types it again."""
AGAIN_MAX = 5


async def cli_signal(desk: Desk, name: str, *payloads: str) -> None:
    """What an operator types; the UI sends the same."""
    command = [binary("temporal"), "workflow", "signal", "--address", desk.client.service_client.config.target_host]
    command += ["--workflow-id", desk.case_id, "--name", name]
    for payload in payloads:
        command += ["--input", payload]
    returncode, errors = await _run(command)
    for _ in range(AGAIN_MAX):
        if CLOSING not in errors:
            break
        returncode, errors = await _run(command)
    assert returncode == 0, errors


async def _run(command: list[str]) -> tuple[int | None, bytes]:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    return process.returncode, errors


async def test_each_kind_can_be_signalled_as_the_ui_describes_it(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        desk.programme.closes = {}
        await desk.walk("application.submitted")
        for number, kind in enumerate(DIRECT, start=1):
            shown = re.search(r"\{.*\}", description(kind))
            assert shown
            payload = json.loads(shown.group()) | {"message_id": f"ops-{number}"}
            await cli_signal(desk, kind, json.dumps(payload))
        await desk.until(lambda: len(desk.programme.direct) == len(DIRECT))

        assert [message.message for message in desk.programme.direct] == DIRECT
        review = next(message for message in desk.programme.direct if message.message == "sponsor.needs_review")
        assert review.notification.flags == ("income",)


async def test_a_kind_with_personal_content_notifies_for_the_inbox(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted", "sponsor.confirmed", "entry.not_found")
        message_id, _ = desk.receive("evidence.submitted")
        await cli_signal(desk, "evidence.submitted", json.dumps({"message_id": message_id}))
        await desk.until(lambda: desk.case.stage == "security_vetting")


async def test_the_same_message_twice_is_one_message(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        for _ in range(5):
            await desk.signal("sponsor.confirmed", message_id="registry-1")
        await desk.until(lambda: desk.case.stage == "proof_of_entry")
        await desk.settle()

        assert desk.case.inbox[1:] == [("sponsor.confirmed", "registry-1")]
        assert desk.case.version == 4


async def test_a_notification_for_what_is_taken_costs_no_activity(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted", "sponsor.confirmed")
        await desk.signal("vetting.hit", message_id="v-1")
        await desk.until(lambda: len(desk.programme.direct) == 1)
        asked = len(desk.programme.asked)
        for _ in range(3):
            await desk.notify("sponsor.confirmed", "m-2", 2)
        await desk.settle()
        assert len(desk.programme.asked) == asked


async def test_a_lost_or_overtaken_notification_changes_nothing(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        desk.receive("sponsor.confirmed")  # its signal is lost
        message_id, number = desk.receive("entry.matched")
        await desk.notify("entry.matched", message_id, number)
        await desk.until(lambda: desk.case.stage == "security_vetting")
        assert [answer.answer for answer in desk.case.answers] == ["accepted"] * 3


UNREADABLE: dict[str, tuple[str, ...]] = {
    "no payload": (),
    "two payloads": ('{"message_id": "m"}', '{"message_id": "n"}'),
    "null": ("null",),
    "text": ('"Rojas"',),
    "a list": ("[]",),
    "a key too many": ('{"message_id": "m", "name": "Rojas"}',),
    "free text": ('{"message_id": "m", "why": "she told me on the phone"}',),
    "no message id": ('{"number": 2}',),
}


@pytest.mark.parametrize("name", ["vetting.hit", "no.such.signal"])
async def test_a_signal_that_cannot_be_read_is_shown_and_the_case_goes_on(
    dev_server: WorkflowEnvironment, name: str
) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        for payloads in UNREADABLE.values():
            await cli_signal(desk, name, *payloads)
        await desk.walk("sponsor.confirmed")

        assert desk.case.stage == "proof_of_entry"
        assert desk.programme.direct == []
        # Two payloads never reach a handler: the SDK itself drops such a signal.
        refused = len(UNREADABLE) - (0 if name == "no.such.signal" else 1)
        assert f"**Signals refused** {refused}" in await details(desk)


async def test_the_ui_offers_every_signal_with_its_meaning(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        metadata = await desk.metadata()
        offered = {signal.name: signal.description for signal in metadata.definition.signal_definitions if signal.name}
        assert offered == {kind: description(kind) for kind in registry.signals()}
        assert all("message_id" in text for text in offered.values())


async def test_a_burst_is_taken_in_order_by_bounded_activities(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        await asyncio.gather(*(desk.signal("vetting.referred", message_id=f"v-{each:03}") for each in range(50)))
        await desk.until(lambda: len(desk.programme.direct) == 50)

        assert all(len(what.direct) <= 20 for _, what in desk.programme.asked)
        assert len({message.notification.message_id for message in desk.programme.direct}) == 50


async def test_bounded_activities_are_called_until_nothing_is_left(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        desk.programme.at_once = 2
        for kind in ("application.submitted", "sponsor.confirmed", "entry.matched", "vetting.cleared"):
            desk.receive(kind)
        await desk.notify("application.submitted", "m-1", 1)
        await desk.until(lambda: desk.case.stage == "travel_authorization")
        assert [name for name, _ in desk.programme.asked] == ["open_case", "proof_of_entry"]


async def test_a_notification_for_a_closed_case_is_answered_by_a_run_that_ends(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted", "application.withdrawn")
        await desk.handle.result()
        await desk.post("sponsor.confirmed")
        await desk.handle.result()
        assert [(answer.answer, answer.code) for answer in desk.case.answers] == [
            ("accepted", None),
            ("accepted", None),
            ("rejected", "not-now"),
        ]
