"""`python -m bench.floor.bare_worker`: the bare workflow's worker; its activities call the partner and nothing else."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TextIO

from temporalio import activity
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from activities.contracts import Advance, Due, Step
from activities.partners.clients import PartnerClients, open_partner_clients
from bench.floor.bare_case import BARE_TASK_QUEUE, FRESH_RUN, PARTS, BareCase, Part
from domain import registry
from domain.humanitarian_parole.stages.filing import ApplicationFiled
from domain.kernel.case import Case, Request, replace
from domain.kernel.decider import fold
from process.config import Settings, load_settings
from process.key_files import call_security
from process.logs import configure_logs
from process.temporal import connect_temporal
from simulation.demonstration.repeat import application
from worker import APPENDING_MAX, CACHED_CASES_MAX
from workflows.runner import RUNNER

PROGRESS_FILE: Final = "progress"
"""A line for each part that a case has behind it: what the event store's heads are to a real one."""
_FAMILY: Final = registry.programme("venezuela-air").family
_FILED: Final = fold(
    _FAMILY,
    Case("VEN-1111-1111"),
    (
        ApplicationFiled(
            at=datetime(2022, 10, 20, tzinfo=UTC),
            programme="venezuela-air",
            rules_version="2022-10-19",
            rules_digest="0" * 64,
            application=application(1),
        ),
    ),
)
_BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)


class BareActivities:
    """One for each name that a case's activities have."""

    def __init__(self, partners: PartnerClients, progress: TextIO) -> None:
        self._partners = partners
        self._progress = progress

    def registered(self) -> list[Callable[[Advance], Awaitable[Step]]]:
        """Functions as a worker takes them."""
        return [self._named(name) for name in dict.fromkeys(part.activity for part in PARTS)]

    def _named(self, name: str) -> Callable[[Advance], Awaitable[Step]]:
        @activity.defn(name=name)
        async def advance(advance: Advance) -> Step:
            return await self._advance(advance)

        return advance

    async def _advance(self, advance: Advance) -> Step:
        number = advance.seen_version
        part = PARTS[number]
        if part.partner is not None:
            await self._call(part.partner, advance.case_id, number)
        self._progress.write(f"{advance.case_id} {number}\n")
        self._progress.flush()
        return _step(part, number)

    async def _call(self, partner: str, case_id: str, number: int) -> None:
        request = Request(f"{case_id}:{number}", partner, activity.info().started_time)
        check = _FAMILY.partners[partner].check(replace(_FILED, case_id=case_id), request)
        await self._partners.call(partner, check)


def _step(part: Part, number: int) -> Step:
    due = None
    if part.due is not None:
        name, days = part.due
        # From a fixed moment far ahead, so that the same limit is the same moment in both runs.
        at = _BEGAN + timedelta(days=3650 + days)
        due = Due(name=name, at=at, wake_at=at)
    return Step(
        version=number + 1,
        stage=part.stage,
        waiting_on=part.waiting_on,
        since=_BEGAN,
        due=due,
        taken=number + 1 if number < FRESH_RUN else number,
        programme="venezuela-air",
        rules_version="2022-10-19",
    )


async def serve(settings: Settings) -> None:
    """Poll until SIGTERM or SIGINT, with the numbers of the real worker."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    urls = {partner: settings.partner_url(partner) for partner in registry.partners()}
    progress: Path = settings.data_dir / PROGRESS_FILE
    async with open_partner_clients(urls, settings.gateway_url, security=call_security(settings)) as partners:
        with progress.open("a", encoding="ascii") as lines:
            options: dict[str, Any] = {"workflow_runner": _runner(), "max_cached_workflows": CACHED_CASES_MAX}
            worker = Worker(
                await connect_temporal(settings, "bare"),
                task_queue=BARE_TASK_QUEUE,
                workflows=[BareCase],
                activities=BareActivities(partners, lines).registered(),
                max_concurrent_activities=APPENDING_MAX,
                **options,
            )
            async with worker:
                await stopped.wait()


def _runner() -> SandboxedWorkflowRunner:
    """As cheap as the real one: its module, too, is loaded once for all runs."""
    return SandboxedWorkflowRunner(restrictions=RUNNER.restrictions.with_passthrough_modules("bench"))


def main() -> None:
    """Ends with SIGTERM."""
    settings = load_settings()
    configure_logs(settings.model_copy(update={"log_level": "warning"}), "bare-worker")
    with suppress(asyncio.CancelledError):
        asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
    sys.exit(0)
