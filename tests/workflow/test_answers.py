"""Update `answer`: whoever needs the domain's yes or no waits for it."""

from typing import Any

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from activities.contracts import MessageRef, MessageResult
from tests.support.bill import kinds
from tests.support.desk import Desk, working
from workflows.contracts import ANSWER_UPDATE


async def ask(desk: Desk, message_id: str, number: int) -> MessageResult:
    ref = MessageRef(message_id=message_id, number=number)
    answer = await desk.handle.execute_update(ANSWER_UPDATE, ref, result_type=MessageResult)
    assert isinstance(answer, MessageResult)
    return answer


async def test_an_update_notifies_and_waits_for_the_answer(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        message_id, number = desk.receive("sponsor.confirmed")
        assert await ask(desk, message_id, number) == MessageResult(number=2, answer="accepted")


async def test_the_domains_no_is_an_answer(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        message_id, number = desk.receive("place.offered")
        assert await ask(desk, message_id, number) == MessageResult(number=2, answer="rejected", code="not-now")


async def test_an_answer_given_before_is_given_again_at_once(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted", "sponsor.confirmed")
        asked = len(desk.programme.asked)
        assert (await ask(desk, "m-2", 2)).answer == "accepted"
        assert len(desk.programme.asked) == asked


async def test_a_number_that_no_inbox_has_gets_no_answer_and_no_endless_wait(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        assert await ask(desk, "m-99", 99) == MessageResult(number=99, answer=None)
        await desk.walk("sponsor.confirmed")


async def test_the_case_closes_only_when_whoever_asked_is_answered(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        message_id, number = desk.receive("application.withdrawn")
        assert (await ask(desk, message_id, number)).answer == "accepted"
        await desk.handle.result()


@pytest.mark.parametrize("payload", [[], [None], [{"number": 0}], [{"name": "canary-Rojas"}], ["canary-Rojas", 2]])
async def test_a_malformed_update_is_rejected_and_leaves_nothing(
    dev_server: WorkflowEnvironment, payload: list[Any]
) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        before = await desk.histories()
        # A client without the project's converter, as the command line is.
        plain = await Client.connect(desk.client.service_client.config.target_host)
        with pytest.raises(WorkflowUpdateFailedError) as refusal:
            await plain.get_workflow_handle(desk.case_id).execute_update(ANSWER_UPDATE, args=payload)
        assert "Rojas" not in repr(refusal.value.__cause__)
        assert await desk.histories() == before
        assert "canary" not in str(before)
        assert "WORKFLOW_EXECUTION_UPDATE_ACCEPTED" not in kinds(before[0])
