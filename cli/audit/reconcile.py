"""`passage audit reconcile`: the one command of an audit that asks Temporal, while it still remembers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import typer

from audit.reconcile.case import Finding, Found
from audit.reconcile.compare import reconcile
from audit.reconcile.history import HistoryUnreadable, Run, read_run
from audit.reconcile.log import ReconcileLog, opened_reconcile_log
from cli.errors import FaultFoundError, UnusableError
from cli.lines import echo_json
from cli.reach import TemporalAway, checked_case_id, on_the_database
from eventstore.format.envelope import machine_clock
from eventstore.format.histories import HistoryTooLarge
from process.config import Settings
from process.temporal import connect_temporal
from relay.histories import live_histories

AT_ONCE: Final = 4
"""Cases compared side by side: enough to hide round trips, few enough to be no load on a system at work."""

ReadLive = Callable[[str], Awaitable[dict[str, dict[str, Any]]]]
"""Every run of a case that Temporal still has: its history by its id."""


@dataclass(slots=True)
class Reconciled:
    """What was compared, and what that found."""

    cases: int = 0
    live_runs: int = 0
    kept_runs: int = 0
    without_history: int = 0
    faults: int = 0
    notices: int = 0


def reconcile_cases(
    case_id: Annotated[str | None, typer.Argument(help="The case's id.", metavar="ID", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Every case of the log.")] = False,
    kept: Annotated[bool, typer.Option("--kept", help="Do not ask Temporal: the histories kept with the log.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line: findings, then the counts.")] = False,
) -> None:
    """Compare Temporal's histories with the log; one line a finding, and exit 1 where one is a fault."""
    if every == (case_id is not None):
        raise UnusableError("reconcile needs the id of a case, or --all")
    one = None if case_id is None else checked_case_id(case_id)

    async def work(settings: Settings) -> Reconciled:
        read_live = None if kept else await _live(settings)
        async with opened_reconcile_log(settings.required_database_url, AT_ONCE) as log:
            return await _reconcile(log, read_live, one, lambda finding: _tell(finding, json=json))

    found = on_the_database(work)
    if one is not None and found.without_history:
        raise UnusableError(f"{one}: neither Temporal nor the log has a history of it to compare with")
    if json:
        echo_json({"reconciled": asdict(found)})
    else:
        _print(found)
    if found.faults:
        raise FaultFoundError(f"the log and Temporal do not agree: {found.faults} faults")


async def reconcile_one(
    log: ReconcileLog, read_live: ReadLive | None, case_id: str, now: Callable[[], datetime] = machine_clock
) -> tuple[list[Finding], list[Run]]:
    """Compare one case: what was found, and the runs it was compared with. Without `read_live` nobody asks Temporal.

    Raises:
        UnusableError: nobody filed it.
        StoreUnavailable: the database cannot be reached.
        RPCError: Temporal cannot be reached.
    """
    before = await log.before(case_id)
    live, unread = ([], []) if read_live is None else await _live_runs(read_live, case_id)
    read_at = now()
    kept, wrong = await log.kept(case_id, but=[run.run_id for run in live])
    runs = [*live, *kept]
    if before.version == 0 and not runs:
        raise UnusableError(f"no case {case_id}")
    case = await log.after(case_id, before, runs)
    asked = read_live is not None and not unread
    return [*unread, *wrong, *reconcile(case, runs, read_at, asked_temporal=asked)], runs


async def _live_runs(read_live: ReadLive, case_id: str) -> tuple[list[Run], list[Finding]]:
    """The runs that Temporal has, and what of them cannot be read."""
    try:
        live = await read_live(case_id)
    except HistoryTooLarge as error:
        return [], [Finding(Found.HISTORY_UNREADABLE, case_id, error.code)]
    runs: list[Run] = []
    unread: list[Finding] = []
    for run_id, history in live.items():
        try:
            runs.append(read_run(run_id, history, "live"))
        except HistoryUnreadable as error:
            unread.append(Finding(Found.HISTORY_UNREADABLE, case_id, str(error)))
    return runs, unread


async def _reconcile(
    log: ReconcileLog, read_live: ReadLive | None, one: str | None, tell: Callable[[Finding], None]
) -> Reconciled:
    found = Reconciled()
    async for batch in _batches(log, one):
        for findings, runs in await asyncio.gather(*(reconcile_one(log, read_live, case_id) for case_id in batch)):
            _count(found, findings, runs)
            for finding in findings:
                if one is None or finding.code is not Found.NO_HISTORY:
                    tell(finding)
    return found


async def _batches(log: ReconcileLog, one: str | None) -> AsyncIterator[list[str]]:
    if one is not None:
        yield [one]
        return
    batch: list[str] = []
    async for case_id in log.cases():
        batch.append(case_id)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _count(found: Reconciled, findings: list[Finding], runs: list[Run]) -> None:
    found.cases += 1
    found.live_runs += sum(run.source == "live" for run in runs)
    found.kept_runs += sum(run.source == "kept" for run in runs)
    found.without_history += not runs
    found.faults += sum(finding.is_fault for finding in findings)
    found.notices += sum(not finding.is_fault for finding in findings)


async def _live(settings: Settings) -> ReadLive:
    try:
        client = await connect_temporal(settings, "auditor")
    except RuntimeError:  # the SDK's word for "no connection"
        raise TemporalAway(settings.temporal["target_host"]) from None
    return lambda case_id: live_histories(client, case_id)


def _tell(finding: Finding, *, json: bool) -> None:
    if json:
        echo_json({"finding": finding.as_dict()})
    else:
        typer.echo(finding.line)


def _print(found: Reconciled) -> None:
    typer.echo(
        f"{found.cases:,} cases, {found.live_runs:,} runs that Temporal has, {found.kept_runs:,} kept with the log"
    )
    if found.without_history:
        typer.echo(f"{found.without_history:,} cases without any history: not compared")
    if found.notices:
        typer.echo(f"{found.notices:,} things to know, no faults")
    typer.echo("Log and Temporal agree." if not found.faults else f"{found.faults} FAULTS")
