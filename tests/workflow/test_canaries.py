"""What is personal enters a process and must not be found in Temporal afterwards, whatever fails on the way."""

import json
import logging
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from pydantic import BaseModel
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from activities.contracts import Call
from tests.support.desk import Desk, working
from workflows.payloads import NotTemporalSafe

CANARY = "canary-Rojas-151234567"


class Strict(BaseModel):
    number: int


def _pydantic(_: Any) -> None:
    Strict.model_validate({"number": CANARY})


def _asyncpg(_: Any) -> None:
    error = asyncpg.NotNullViolationError(f"null value violates, {CANARY}")
    error.detail = f"Failing row contains ({CANARY})."
    raise error


def _application_error(_: Any) -> None:
    raise ApplicationError(CANARY, {"passport": CANARY}, type=CANARY)


def _chained(_: Any) -> None:
    try:
        raise KeyError(CANARY)
    except KeyError as cause:
        raise ValueError(CANARY) from cause


def _grouped(_: Any) -> None:
    raise ExceptionGroup(CANARY, [ValueError(CANARY)])


FAILURES: list[Callable[[Any], None]] = [_pydantic, _asyncpg, _application_error, _chained, _grouped]


async def everything_stored(desk: Desk) -> str:
    """All that the server tells of the case: histories, and what is pending with its last failure."""
    described = await desk.handle.describe()
    return json.dumps(await desk.histories()) + str(described.raw_description)


@pytest.mark.parametrize("fail", FAILURES, ids=lambda fail: fail.__name__)
async def test_a_failing_activity_leaves_its_code_and_nothing_else(
    dev_server: WorkflowEnvironment, fail: Callable[[Any], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with working(dev_server) as desk:
        desk.programme.before = fail
        message_id, number = desk.receive("application.submitted")
        await desk.notify("application.submitted", message_id, number)
        await desk.until(lambda: len(desk.programme.asked) == 1)
        stored = ""
        while "internal" not in stored:
            stored = await everything_stored(desk)
    assert CANARY not in stored
    assert CANARY not in caplog.text


async def test_a_call_that_fails_for_good_leaves_its_code_and_nothing_else(
    dev_server: WorkflowEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: Any) -> None:
        raise ApplicationError(CANARY, CANARY, type="partner-refused", non_retryable=True)

    async with working(dev_server) as desk:
        desk.programme.on_call = refuse
        await desk.walk("application.submitted")
        desk.case.calls = (Call(request_id="r-1", partner="entry_records"),)
        await desk.walk("sponsor.confirmed")
        stored = await everything_stored(desk)
    assert "partner-refused" in stored
    assert CANARY not in stored
    assert CANARY not in caplog.text


async def test_an_activity_cannot_return_personal_data(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        desk.programme.instead = {"name": CANARY}
        message_id, number = desk.receive("application.submitted")
        await desk.notify("application.submitted", message_id, number)
        stored = ""
        while "not-temporal-safe" not in stored:
            stored = await everything_stored(desk)
    assert CANARY not in stored


@pytest.mark.parametrize("payload", [CANARY, {"message_id": "m", "name": CANARY}, [CANARY], CANARY.encode()])
async def test_the_projects_own_client_cannot_send_personal_data(
    dev_server: WorkflowEnvironment, payload: object
) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        for send in (
            lambda: desk.handle.signal("vetting.hit", payload),
            lambda: desk.handle.execute_update("answer", payload),
            lambda: desk.handle.query("__stack_trace", payload),
            lambda: desk.client.start_workflow("Case", payload, id="x", task_queue="cases"),
            lambda: desk.client.start_workflow("Case", id="x", task_queue="cases", static_summary=CANARY),
            lambda: desk.client.start_workflow("Case", id="x", task_queue="cases", memo={"name": payload}),
            lambda: desk.handle.terminate(payload),
        ):
            with pytest.raises(NotTemporalSafe) as refusal:
                await send()
            assert CANARY not in str(refusal.value)
        assert CANARY not in await everything_stored(desk)


async def test_what_somebody_else_puts_into_a_signal_goes_no_further(
    dev_server: WorkflowEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    """The server stores a signal before any of our code sees it: that one event is out of reach, all else is not."""
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        plain = await Client.connect(desk.client.service_client.config.target_host)
        handle = plain.get_workflow_handle(desk.case_id)
        unknown, text = {"message_id": CANARY, "name": CANARY}, {"message_id": "m", "why": f"{CANARY} told me"}
        for arg in (CANARY, {CANARY: 1}, unknown, text):
            await handle.signal("vetting.hit", arg)
        await handle.signal("vetting.hit", args=[CANARY, CANARY])
        await desk.walk("sponsor.confirmed")
        [history] = await desk.histories()
        metadata = str(await desk.metadata())

    others = [event for event in history["events"] if "workflowExecutionSignaledEventAttributes" not in event]
    assert CANARY not in json.dumps(others)
    assert CANARY not in metadata
    assert CANARY not in caplog.text
    assert desk.programme.direct == []


async def test_nobody_is_named_as_the_one_who_works(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        [history] = await desk.histories()
    identities = {
        attributes["identity"]
        for event in history["events"]
        for attributes in event.values()
        if isinstance(attributes, dict) and "identity" in attributes
    }
    assert identities == {"passage-tests-1"}
