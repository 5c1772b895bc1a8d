"""Every run begins from the log: after continue-as-new, an end, a reset, a restored log."""

import asyncio
from collections.abc import Callable

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from activities.contracts import Advance, CaseStart
from activities.failures import LogRestored
from activities.notify import OF_AN_OPEN_CASE, start
from domain.kernel.ids import case_id_from_entropy
from tests.support.bill import kinds
from tests.support.desk import Desk, details, working
from tests.support.temporal import SUGGEST_CONTINUE_AS_NEW_AFTER
from workflows.contracts import CASE_WORKFLOW, CASES_TASK_QUEUE


async def test_a_long_history_is_left_behind_and_no_message_with_it(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        sent = 0
        while len(histories := await desk.histories()) == 1:
            assert len(histories[0]["events"]) < 2 * SUGGEST_CONTINUE_AS_NEW_AFTER
            for _ in range(10):
                sent += 1
                await desk.signal("place.offered", message_id=f"o-{sent}")
            await asyncio.sleep(0.05)
        await desk.until(lambda: len(desk.case.answers) == sent + 1)
        assert [message for _, message in desk.case.inbox[1:]] == [f"o-{each}" for each in range(1, sent + 1)]
        await desk.walk("sponsor.confirmed")


@pytest.mark.parametrize("how", ["terminated", "cancelled"])
async def test_a_workflow_that_was_ended_comes_back_from_the_log(dev_server: WorkflowEnvironment, how: str) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted", "sponsor.confirmed")
        await (desk.handle.terminate() if how == "terminated" else desk.handle.cancel())
        with pytest.raises(WorkflowFailureError):
            await desk.handle.result()

        await start(desk.client, desk.case_id, OF_AN_OPEN_CASE)
        await desk.settle()
        assert "`proof_of_entry`" in await details(desk)
        await desk.walk("entry.matched")
        assert desk.case.stage == "security_vetting"


async def test_a_reset_workflow_goes_on_where_the_log_is(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted", "sponsor.confirmed", "entry.matched")
        await reset_to_first_task(desk)
        await desk.settle()
        assert "`security_vetting`" in await details(desk)
        assert desk.case.version == 6
        await desk.walk("vetting.cleared")


async def test_a_step_older_than_the_one_held_is_ignored(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted", "sponsor.confirmed")
        case = desk.case

        def answer_from_the_past(_: Advance) -> None:
            case.version, case.stage = 0, "sponsor_confirmation"

        desk.programme.knows_seen_version = False
        desk.programme.before = answer_from_the_past
        await desk.walk("place.offered")
        assert "`proof_of_entry`" in await details(desk)


async def test_nothing_is_appended_to_a_restored_log(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted", "sponsor.confirmed")
        desk.case.version = 2
        message_id, number = desk.receive("entry.matched")
        await desk.notify("entry.matched", message_id, number)
        await desk.until(lambda: len(desk.programme.asked) > 2)
        await asyncio.sleep(0.3)

        described = await desk.handle.describe()
        [pending] = described.raw_description.pending_activities
        assert pending.last_failure.message == "log-restored"
        assert len(desk.case.answers) == 2

        desk.case.version = 4  # people have mended the log
        assert pending.activity_type.name == "proof_of_entry"


async def test_a_case_that_closed_after_the_backup_is_not_begun_anew(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted", "application.withdrawn")
        await desk.handle.result()
        asked = len(desk.programme.asked)
        desk.case.version, desk.case.stage = 2, "sponsor_confirmation"  # as it was when the backup was taken
        message_id, number = desk.receive("sponsor.confirmed")
        with pytest.raises(LogRestored):
            await desk.notify("sponsor.confirmed", message_id, number)
        assert len(desk.programme.asked) == asked


async def test_a_run_of_no_case_ends_with_a_code(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        starts: tuple[object, ...] = (None, CaseStart(case_id=case_id_from_entropy("VEN", b"another case")))
        for arg in starts:
            with pytest.raises(WorkflowFailureError) as failed:
                await desk.client.execute_workflow(CASE_WORKFLOW, arg, id=desk.case_id, task_queue=CASES_TASK_QUEUE)
            assert isinstance(failed.value.cause, ApplicationError)
            assert failed.value.cause.type == "not-a-case"
        assert desk.programme.asked == []


async def test_a_case_that_cannot_be_read_at_all_fails_with_its_code(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        desk.programme.before = refuse("unknown-case")
        await start(desk.client, desk.case_id, OF_AN_OPEN_CASE)
        with pytest.raises(WorkflowFailureError) as failed:
            await desk.handle.result()
        assert isinstance(failed.value.cause, ApplicationError)
        assert failed.value.cause.type == "unknown-case"


async def test_an_activity_that_gives_up_leaves_the_case_open_for_the_next_notification(
    dev_server: WorkflowEnvironment,
) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        desk.programme.before = refuse("command-content-differs")
        message_id, number = desk.receive("sponsor.confirmed")
        await desk.notify("sponsor.confirmed", message_id, number)
        await desk.settle()
        assert "**Needs an engineer** the activity gave up with `command-content-differs`" in await details(desk)
        assert len(desk.programme.asked) == 2  # it waits, and does not spin

        desk.programme.before = lambda _: None
        await desk.notify("sponsor.confirmed", message_id, number)
        await desk.until(lambda: desk.case.stage == "proof_of_entry")
        await desk.settle()
        assert "Needs an engineer" not in await details(desk)


async def test_a_database_that_is_away_is_waited_for(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        left = [2]

        def away(_: Advance) -> None:
            if left[0]:
                left[0] -= 1
                raise ConnectionRefusedError("postgres of 10.0.0.7 refused the connection")

        desk.programme.before = away
        await desk.walk("application.submitted")
        [history] = await desk.histories()
        assert kinds(history).count("ACTIVITY_TASK_SCHEDULED") == 1
        assert "10.0.0.7" not in str(history)


def refuse(code: str) -> Callable[[Advance], None]:
    def before(_: Advance) -> None:
        raise ApplicationError(code, type=code)

    return before


async def reset_to_first_task(desk: Desk) -> None:
    await desk.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=desk.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=desk.case_id),
            reason="test",
            workflow_task_finish_event_id=5,
            request_id="r",
        )
    )
