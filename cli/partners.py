"""`passage partners`: which partners answer, what they are owed, and which answers are overdue."""

from dataclasses import asdict
from typing import Annotated

import typer

from activities.answer_polling import ASKS_MAX, accepted_before
from activities.partners.agreements import Agreements
from cli.lines import echo_json, moment, row
from cli.reach import on_the_database
from eventstore.format.envelope import machine_clock
from eventstore.partner_calls import PartnerStanding
from eventstore.postgres.connections import side_pool
from eventstore.postgres.partner_calls import PostgresUnanswered
from process.backing import clock_of
from process.config import Settings
from worker import agreements_of

app = typer.Typer(help="Partners: which answer, what they are owed, what is overdue.", no_args_is_help=True)

_COLUMNS = (
    "PARTNER", "STATE", "SINCE (UTC)", "NEXT CALL (UTC)", "OWED", "OLDEST (UTC)", "UNANSWERED", "OVERDUE", "IN VAIN"
)  # fmt: skip
_WIDTHS = (18, 8, 16, 16, 5, 16, 10, 7, 0)


@app.callback()
def partners() -> None:
    """A group of commands, though there is one."""


@app.command("list")
def list_partners(json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False) -> None:
    """List the partners; *paused* are those that take no calls, so that all workers leave them alone for a while."""
    on_the_database(lambda settings: show_partners(settings, json=json))


async def show_partners(settings: Settings, *, json: bool) -> None:
    """Print how each partner stands. Raises `ConfigurationError` where the agreements cannot be read."""
    found = await _standings(settings, agreements_of(settings))
    if not json:
        typer.echo(row(_COLUMNS, _WIDTHS))
    for each in found:
        _print(each, json=json)


async def _standings(settings: Settings, agreements: Agreements) -> tuple[PartnerStanding, ...]:
    now = machine_clock()
    clock = clock_of(settings)
    overdue = {partner: accepted_before(clock, agreed.answers_within, now) for partner, agreed in agreements.items()}
    async with side_pool(settings.required_database_url, "passage standings", 1) as pool:
        return await PostgresUnanswered(pool).standings(overdue, ASKS_MAX)


def _print(each: PartnerStanding, *, json: bool) -> None:
    if json:
        echo_json({**asdict(each), "state": _state(each)})
        return
    cells = (each.partner, _state(each), moment(each.failing_since), moment(each.paused_until), each.owed)
    typer.echo(row((*cells, moment(each.owed_since), each.unanswered, each.overdue, each.asked_in_vain), _WIDTHS))


def _state(each: PartnerStanding) -> str:
    if each.paused_until is not None:
        return "paused"
    return "failing" if each.failures else "answers"
