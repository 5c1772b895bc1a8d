"""What an operator sees of a case in the Temporal UI, without other tools and without personal data."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.testing import WorkflowEnvironment

from activities.contracts import Due
from tests.support.bill import kinds
from tests.support.desk import Desk, details, working
from workflows.contracts import SEARCH_ATTRIBUTES


async def attributes(desk: Desk) -> dict[str, Any]:
    found = (await desk.handle.describe()).typed_search_attributes
    return {key.name: value for key in SEARCH_ATTRIBUTES if (value := found.get(key)) is not None}


async def test_current_details_say_where_the_case_is_and_who_acts_next(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted", "sponsor.confirmed", "entry.not_found")
        at = datetime(2022, 11, 19, 14, 0, tzinfo=UTC)
        later = datetime.now(UTC) + timedelta(days=30)
        desk.case.due = Due(name="evidence", at=at, wake_at=later)
        desk.case.flags = ("shared-phone", "alias")
        await desk.walk("place.offered")

        assert (await details(desk)).splitlines() == [
            "- **Stage** `proof_of_entry` since 2022-10-20 14:00 UTC",
            "- **Waiting on** `applicant`",
            "- **Next** the applicant sends what was asked: `evidence.submitted` or `sponsor.replaced`",
            "- **Due** `evidence` 2022-11-19 14:00 UTC",
            "- **Flags** `shared-phone`, `alias`",
            "- **Last signal** `place.offered`",
            "- **Last message taken** number 4, rejected, `not-now`",
            "- **Case** version 6, programme `venezuela-air`, rules `2022-10-19`",
        ]


async def test_a_closed_case_shows_its_outcome(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted", "application.withdrawn")
        shown = await details(desk)
        assert "- **Outcome** `withdrawn`\n- **Reason** `applicant-withdrew`" in shown
        assert "Waiting on" not in shown


async def test_cases_can_be_filtered_by_all_that_the_step_says(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        assert await attributes(desk) == {
            "CaseStage": "sponsor_confirmation",
            "WaitingOn": "sponsor",
            "Programme": "venezuela-air",
            "RulesVersion": "2022-10-19",
        }
        desk.case.flags = ("alias",)
        await desk.walk("sponsor.confirmed", "entry.matched", "vetting.hit")
        found = await attributes(desk)
        assert desk.case.due is not None
        assert (found["CaseStage"], found["WaitingOn"], found["Flags"]) == ("security_vetting", "officer", ["alias"])
        assert abs(found["StageDeadline"] - desk.case.due.at) < timedelta(milliseconds=1)

        await desk.walk("application.withdrawn")
        found = await attributes(desk)
        assert (found["CaseStage"], found["Outcome"]) == ("closed", "withdrawn")
        assert not {"WaitingOn", "StageDeadline"} & set(found)


async def test_what_is_unchanged_is_not_written_again(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        for _ in range(3):
            await desk.walk("place.offered")
        [history] = await desk.histories()
        assert kinds(history).count("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES") == 1


async def test_a_fresh_run_keeps_the_search_attributes(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted", "sponsor.confirmed", "entry.matched", "vetting.cleared")
        await desk.walk("arrival.paroled")
        before, after = await desk.histories()
        assert kinds(before)[-1] == "WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
        assert kinds(after).count("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES") == 0
        assert (await attributes(desk))["CaseStage"] == "work_permit_eligibility"


async def test_activities_and_timers_say_why(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted", "sponsor.confirmed", "entry.matched", "vetting.hit")
        await desk.signal("officer.decided", message_id="ops-1", officer="o-1", decision="deny")
        await desk.until(lambda: len(desk.programme.direct) == 1)
        [history] = await desk.histories()

    summaries = [summary for event in history["events"] if (summary := _summary(event))]
    assert summaries[:3] == [
        f"venezuela-air {desk.case_id}",
        "read the case from the log",
        "messages after number 1",
    ]
    assert summaries[-2].startswith("referral deadline, 2")
    assert summaries[-1] == "signalled: officer.decided"


async def test_the_call_stack_can_be_asked_for(dev_server: WorkflowEnvironment) -> None:
    async with working(dev_server) as desk:
        await desk.walk("application.submitted")
        assert f"workflow: Case, id: {desk.case_id}" in await desk.call_stack()


def _summary(event: dict[str, Any]) -> str | None:
    payload = event.get("userMetadata", {}).get("summary")
    return str(json.loads(base64.b64decode(payload["data"]))) if payload else None
