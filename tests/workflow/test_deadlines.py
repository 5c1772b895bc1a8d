"""Limits are timers; the activity's clock says whether one is reached."""

from datetime import timedelta

from temporalio.testing import WorkflowEnvironment

from tests.support.bill import kinds
from tests.support.desk import Desk, working

TO_AUTHORIZATION = ("application.submitted", "sponsor.confirmed", "entry.matched", "vetting.cleared")


async def skip(desk: Desk, **time: float) -> None:
    await desk.environment.sleep(timedelta(**time))
    await desk.settle()


async def test_an_authorization_expires(skipping_server: WorkflowEnvironment) -> None:
    async with working(skipping_server) as desk:
        await desk.walk(*TO_AUTHORIZATION)
        await skip(desk, days=89)
        assert desk.case.stage == "travel_authorization"
        await skip(desk, days=2)
        assert (desk.case.stage, desk.case.outcome) == ("closed", "expired")
        name, what = desk.programme.asked[-1]
        assert name == "travel_authorization"
        assert what.due is not None
        assert what.due.name == "authorization"
        await desk.handle.result()


async def test_a_life_of_two_years_ends(skipping_server: WorkflowEnvironment) -> None:
    async with working(skipping_server) as desk:
        await desk.walk(*TO_AUTHORIZATION, "arrival.paroled")
        await skip(desk, days=731)
        assert (desk.case.stage, desk.case.outcome) == ("closed", "completed")


async def test_a_message_leaves_the_timer_of_an_unchanged_limit_alone(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted", "sponsor.confirmed", "entry.matched", "vetting.hit")
        await desk.walk("officer.decided", "place.offered")
        [history] = await desk.histories()
        assert kinds(history).count("TIMER_STARTED") == 1
        assert kinds(history).count("TIMER_CANCELED") == 0


async def test_a_message_before_the_limit_cancels_its_timer(skipping_server: WorkflowEnvironment) -> None:
    async with working(skipping_server) as desk:
        await desk.walk("application.submitted", "sponsor.confirmed", "entry.not_found")
        await skip(desk, days=29)
        await desk.walk("evidence.submitted")
        await skip(desk, days=30)
        assert desk.case.stage == "security_vetting"
        assert all(what.due is None for _, what in desk.programme.asked)


async def test_a_limit_that_the_activity_does_not_see_is_tried_again_ever_more_slowly(
    skipping_server: WorkflowEnvironment,
) -> None:
    async with working(skipping_server) as desk:
        await desk.walk("application.submitted", "sponsor.confirmed", "entry.not_found")
        desk.programme.reach_deadlines = False
        await skip(desk, days=31)
        tried = [what for _, what in desk.programme.asked if what.due]
        assert 3 <= len(tried) <= 9 + 24 * 12 + 1  # 1, 2, 4 … 256 s, then every five minutes of the last day

        desk.programme.reach_deadlines = True
        await skip(desk, minutes=10)
        assert (desk.case.stage, desk.case.reason) == ("closed", "evidence-deadline")
