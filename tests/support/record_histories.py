"""Records the golden histories of `tests/golden/histories`: `python -m tests.support.record_histories`.

Each is a case on a real server with the workflow as it is now. A history that is there already is never replaced: it is
what cases that run somewhere may look like.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from activities.contracts import Call, Due, MessageRef, MessageResult
from activities.partners.errors import PartnerBusy, PartnerRefused
from tests.support.desk import Desk, working
from tests.support.replay import HISTORIES
from tests.support.temporal import start_dev_server
from workflows.contracts import ANSWER_UPDATE

TO_AUTHORIZATION = ("application.submitted", "sponsor.confirmed", "entry.matched", "vetting.cleared")


async def five_steps(desk: Desk) -> None:
    """Two runs: up to parole, and after it."""
    for kind in (*TO_AUTHORIZATION, "arrival.paroled", "work_permit.applied", "work_permit.eligible"):
        await desk.walk(kind)


async def denied_by_two_officers(desk: Desk) -> None:
    """Signalled directly, and twice, by officers with access to Temporal."""
    await desk.walk("application.submitted", "sponsor.confirmed", "entry.matched", "vetting.hit")
    for _ in range(2):
        await desk.signal("officer.decided", message_id="ops-1", officer="o-1", decision="deny", why="name-match")
    await desk.settle()
    await desk.signal("officer.confirmed", message_id="ops-2", officer="o-2")
    await desk.handle.result()


async def evidence_deadline(desk: Desk) -> None:
    """A limit that the activity sees only at the second attempt."""
    await desk.walk("application.submitted", "sponsor.confirmed", "entry.not_found")
    at = datetime.now(UTC) + timedelta(seconds=2)
    desk.case.due = Due(name="evidence", at=at, wake_at=at)
    desk.programme.reach_deadlines = False
    await desk.walk("place.offered")
    await desk.until(lambda: any(what.due for _, what in desk.programme.asked))
    desk.programme.reach_deadlines = True
    await desk.handle.result()


async def partners_in_trouble(desk: Desk) -> None:
    """One is busy and then accepts, one refuses, one call is dropped."""
    attempts: dict[str, int] = {}

    def on_call(call: object) -> None:
        partner = getattr(call, "partner", "")
        attempts[partner] = attempts.get(partner, 0) + 1
        if partner == "sponsor_registry" and attempts[partner] == 1:
            raise PartnerBusy("sponsor_registry", "too-many", retry_after_s=1)
        if partner == "entry_records":
            raise PartnerRefused("entry_records", "unknown-document")
        if partner == "vetting":
            raise PartnerBusy("vetting", "too-many", retry_after_s=3600)

    desk.programme.on_call = on_call
    for request, partner, kind in (
        ("r-1", "sponsor_registry", "application.submitted"),
        ("r-2", "entry_records", "sponsor.confirmed"),
        ("r-3", "vetting", "entry.matched"),
    ):
        desk.case.calls = (Call.model_validate({"request_id": request, "partner": partner}),)
        await desk.walk(kind)
    desk.case.calls = ()
    await desk.walk("application.withdrawn")


async def asked_and_answered(desk: Desk) -> None:
    """Updates: accepted, rejected by the domain, and of a number that no inbox has."""
    await desk.walk("application.submitted")
    for kind in ("sponsor.confirmed", "place.offered"):
        message_id, number = desk.receive(kind)
        await desk.handle.execute_update(
            ANSWER_UPDATE, MessageRef(message_id=message_id, number=number), result_type=MessageResult
        )
    await desk.handle.execute_update(ANSWER_UPDATE, MessageRef(message_id="m-99", number=99), result_type=MessageResult)
    await desk.walk("application.withdrawn")


async def gave_up_and_went_on(desk: Desk) -> None:
    """An activity that fails for good, signals that nobody can read, and a case that goes on all the same."""
    await desk.walk("application.submitted")

    def refuse(_: object) -> None:
        raise ApplicationError("x", type="command-content-differs")

    desk.programme.before = refuse
    message_id, number = desk.receive("sponsor.confirmed")
    await desk.notify("sponsor.confirmed", message_id, number)
    await desk.settle()
    await desk.handle.signal("vetting.hit", None)
    await desk.handle.signal("no.such.signal")
    desk.programme.before = lambda _: None
    await desk.walk("application.withdrawn")


async def much_at_once(desk: Desk) -> None:
    """Everything is in the inbox before the first signal, and bounded activities take it piece by piece."""
    desk.programme.at_once = 2
    for kind in TO_AUTHORIZATION:
        message_id, number = desk.receive(kind)
        await desk.notify(kind, message_id, number)
    await desk.until(lambda: desk.case.stage == "travel_authorization")
    await desk.settle()


SCENARIOS: tuple[Callable[[Desk], Awaitable[None]], ...] = (
    five_steps,
    denied_by_two_officers,
    evidence_deadline,
    partners_in_trouble,
    asked_and_answered,
    gave_up_and_went_on,
    much_at_once,
)


async def record(environment: WorkflowEnvironment, scenario: Callable[[Desk], Awaitable[None]]) -> list[str]:
    """Walk one scenario and write a file a run; returns the names written."""
    name = scenario.__name__.replace("_", "-")
    if list(HISTORIES.glob(f"{name}.*.json")):
        return []
    async with working(environment) as desk:
        await scenario(desk)
        await desk.settle()
        histories = await desk.histories()
    written = []
    for run, history in enumerate(histories, start=1):
        path = HISTORIES / f"{name}.{run}.json"
        path.write_text(json.dumps(history, indent=1, ensure_ascii=False) + "\n")
        written.append(path.name)
    return written


async def main() -> None:
    async with await start_dev_server() as environment:
        for scenario in SCENARIOS:
            for name in await record(environment, scenario):
                sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    asyncio.run(main())
