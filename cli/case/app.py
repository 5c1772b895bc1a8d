"""`passage case`: what an operator asks about cases, and how a stuck one is mended."""

from typing import Annotated

import typer

from cli.case.history import show_history
from cli.case.restart import restart_case
from cli.case.signal import signal_cases
from cli.case.view import as_json, show_case
from cli.governing import sets_of
from cli.lines import echo_json, moment, row
from cli.reach import Reached, checked_case_id, on_the_stack
from domain.kernel.ids import CaseId, Code
from eventstore.summary import CaseSummary, SummaryFilter

app = typer.Typer(help="Cases: where they stand, what happened, and mending a stuck one.", no_args_is_help=True)

app.command("signal")(signal_cases)

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Id = Annotated[str, typer.Argument(help="The case's id, such as VEN-7Q4K-M2XS.", metavar="ID", show_default=False)]

_COLUMNS = ("CASE", "STAGE", "WAITING ON", "SINCE (UTC)", "DUE (UTC)", "FLAGS")
_WIDTHS = (13, 23, 18, 16, 32, 0)


@app.command("list")
def list_cases(
    programme: Annotated[str | None, typer.Option(help="Only this programme's.")] = None,
    stage: Annotated[Code | None, typer.Option(help="Only in this stage.")] = None,
    waiting_on: Annotated[Code | None, typer.Option(help="Only those that wait on this.")] = None,
    outcome: Annotated[Code | None, typer.Option(help="Only closed with this outcome.")] = None,
    is_open: Annotated[bool | None, typer.Option("--open/--closed", help="Only open, or only closed ones.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.", show_default="all")] = None,
    json: Json = False,
) -> None:
    """List cases in the order of their filing."""
    if programme is not None:
        sets_of(programme)
    where = SummaryFilter(
        programme=programme, stage=stage, waiting_on=waiting_on, outcome=outcome, open=is_open, limit=limit
    )

    async def work(stack: Reached) -> None:
        found = 0
        async for summary in stack.store.summaries(where):
            if not json and not found:
                typer.echo(row(_COLUMNS, _WIDTHS))
            found += 1
            _print(summary, json=json)
        if not json and not found:
            typer.echo("No cases.")

    on_the_stack(work)


def _print(summary: CaseSummary, *, json: bool) -> None:
    if json:
        echo_json(as_json(summary))
        return
    state = f"{summary.outcome}" if summary.closed else summary.waiting_on
    due = f"{summary.shown_due[0]} {moment(summary.shown_due[1])}" if summary.shown_due else None
    cells = (summary.case_id, summary.stage, state, moment(summary.since), due, ", ".join(summary.flags))
    typer.echo(row(cells, _WIDTHS))


@app.command()
def show(case_id: Id, json: Json = False) -> None:
    """Show where a case stands, what it is owed, and where to see it in the Temporal UI."""
    known = checked_case_id(case_id)

    async def work(stack: Reached) -> None:
        await show_case(stack, known, json=json)

    on_the_stack(work)


@app.command()
def history(case_id: Id, json: Json = False) -> None:
    """Show what happened in a case: its events, who caused them, and what each rule said."""
    known = checked_case_id(case_id)

    async def work(stack: Reached) -> None:
        await show_history(stack, known, json=json)

    on_the_stack(work)


@app.command()
def restart(
    case_id: Id,
    replace: Annotated[bool, typer.Option(help="End the run that there is, and begin again from the log.")] = False,
) -> None:
    """Start the workflow of a case that has none running. Nothing is lost: every run begins from the log."""
    known: CaseId = checked_case_id(case_id)

    async def work(stack: Reached) -> None:
        await restart_case(stack, known, replace=replace)

    on_the_stack(work)
