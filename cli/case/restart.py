"""`passage case restart`: a case without a running workflow gets one, which begins from the log."""

import typer
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from cli.errors import UnusableError
from cli.reach import Reached
from domain.kernel.ids import CaseId
from relay.sweep import start_if_none_runs

_REASON = "replaced by an operator"


async def restart_case(stack: Reached, case_id: CaseId, *, replace: bool) -> None:
    """Start the case's workflow and say what came of it. Raises UnusableError for a case that nobody filed."""
    summary = await stack.store.summary(case_id)
    undecided = await stack.inbox.has_undecided(case_id)
    if summary is None and not undecided:
        raise UnusableError(f"no case {case_id}")
    if summary is not None and summary.closed and not undecided:
        typer.echo(f"{case_id} is closed ({summary.outcome}): it needs no workflow")
        return
    temporal = await stack.temporal()
    if replace:
        await _end(temporal, case_id)
    # Who asks by hand has looked: also a case whose workflow ended before the log was restored begins again.
    if await start_if_none_runs(temporal, case_id, WorkflowIDReusePolicy.ALLOW_DUPLICATE):
        typer.echo(f"{case_id} was started: it goes on from the log")
    else:
        typer.echo(f"{case_id} has a running workflow already; --replace ends that run and begins again from the log")


async def _end(temporal: Client, case_id: CaseId) -> None:
    try:
        await temporal.get_workflow_handle(case_id).terminate(reason=_REASON)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
