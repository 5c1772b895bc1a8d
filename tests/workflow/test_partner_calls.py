"""A partner that does not answer is called beside the loop, and never stands in anybody's way."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from activities.contracts import Call, CallPartner
from activities.partners.errors import PartnerBusy, PartnerPaused, PartnerRefused, PartnerUnavailable
from eventstore.partner_calls import Paused
from tests.support.desk import Desk, details, working

VETTING = Call(request_id="r-1", partner="vetting")


async def to_vetting(desk: Desk) -> None:
    """A case whose request vetting has not accepted."""
    await desk.walk("application.submitted", "sponsor.confirmed")
    desk.case.calls = (VETTING,)
    await desk.walk("entry.matched")


def failing(times: int, error: Exception) -> Any:
    left = [times]

    def on_call(_: CallPartner) -> None:
        if left[0]:
            left[0] -= 1
            raise error

    return on_call


async def test_a_call_is_repeated_as_the_partner_asks(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        desk.programme.on_call = failing(2, PartnerBusy("vetting", "too-many", retry_after_s=1))
        await to_vetting(desk)
        # By the call's own policy the second attempt would come after 5 s and the third after 15.
        await desk.until(lambda: len(desk.programme.called) == 3, seconds=4)

        assert {call.request_id for call in desk.programme.called} == {"r-1"}
        asked = len(desk.programme.asked)
        await desk.walk("place.offered")
        assert len(desk.programme.asked) == asked + 1
        assert len(desk.programme.called) == 3  # accepted: not called again though the Step still lists it


async def test_each_partner_is_called_over_a_queue_of_its_own(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await to_vetting(desk)
        await desk.until(lambda: len(desk.programme.called) == 1)

        [history] = await desk.histories()
        asked = [
            event["activityTaskScheduledEventAttributes"]
            for event in history["events"]
            if "activityTaskScheduledEventAttributes" in event
        ]
        queues = {each["activityType"]["name"]: each["taskQueue"]["name"] for each in asked}
        assert queues["call_partner"] == "calls-vetting"
        assert queues["proof_of_entry"] == "cases"


async def test_a_dead_partner_does_not_stop_a_withdrawal(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        desk.programme.on_call = failing(10_000, PartnerUnavailable("vetting", "timeout"))
        await to_vetting(desk)
        await desk.until(lambda: len(desk.programme.called) > 0)
        assert "has not accepted request `r-1` yet" in await details(desk)

        await desk.walk("application.withdrawn")
        await asyncio.wait_for(desk.handle.result(), timeout=5)
        assert desk.case.outcome == "withdrawn"


async def test_a_paused_partner_is_shown_and_does_not_stop_a_withdrawal(dev_server: WorkflowEnvironment) -> None:
    since, until = datetime(2022, 10, 20, 9, 30, tzinfo=UTC), datetime(2022, 10, 20, 9, 45, tzinfo=UTC)
    async with working(dev_server) as desk:
        desk.programme.on_call = failing(10_000, PartnerPaused("vetting", Paused(since, until, wait_s=900)))
        await to_vetting(desk)
        desk.case.calls = (VETTING.model_copy(update={"silent_since": since, "paused_until": until}),)
        await desk.walk("place.offered")
        assert (
            "- **Calling** `vetting` has not accepted request `r-1` yet; it takes none since 2022-10-20 09:30 UTC, "
            "and calls pause until 2022-10-20 09:45 UTC" in await details(desk)
        )
        described = await desk.handle.describe()
        [waiting] = described.raw_description.pending_activities
        assert (waiting.activity_type.name, waiting.last_failure.message) == ("call_partner", "partner-paused")
        assert waiting.current_retry_interval.ToSeconds() == 900

        await desk.walk("application.withdrawn")
        await asyncio.wait_for(desk.handle.result(), timeout=5)
        assert len(desk.programme.called) == 1


async def test_a_call_that_the_case_no_longer_needs_is_cancelled(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        desk.programme.on_call = failing(10_000, PartnerUnavailable("vetting", "timeout"))
        await to_vetting(desk)
        desk.case.calls = ()
        await desk.walk("vetting.cleared")

        [history] = await desk.histories()
        assert any(event["eventType"].endswith("ACTIVITY_TASK_CANCEL_REQUESTED") for event in history["events"])
        described = await desk.handle.describe()
        assert not described.raw_description.pending_activities


async def test_a_refused_call_is_shown_and_the_case_lives_on(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        desk.programme.on_call = failing(1, PartnerRefused("vetting", "unknown-document"))
        await to_vetting(desk)
        assert "**Refused call** `vetting` refused request `r-1`: `partner-refused`" in await details(desk)

        desk.case.calls = ()
        await desk.walk("vetting.cleared")
        assert desk.case.stage == "travel_authorization"
        assert len(desk.programme.called) == 1


async def test_two_partners_do_not_wait_for_each_other(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:

        def on_call(call: CallPartner) -> None:
            if call.partner == "vetting":
                raise ApplicationError("down", type="partner-unavailable", next_retry_delay=timedelta(hours=1))

        desk.programme.on_call = on_call
        await desk.walk("application.submitted")
        desk.case.calls = (VETTING, Call(request_id="r-2", partner="entry_records"))
        await desk.walk("sponsor.confirmed")
        await desk.until(lambda: {call.request_id for call in desk.programme.called} == {"r-1", "r-2"})
