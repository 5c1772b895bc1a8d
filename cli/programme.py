"""`passage programme`: what the governments ask of a programme and tell it. Every word goes through the inbox."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import typer

from cli.governing import adoption, show_programme, tell
from cli.reach import Reached, on_the_stack
from domain.messages import (
    CapChange,
    GovernmentsMessage,
    ProgrammeResumption,
    ProgrammeSuspension,
    ProgrammeTermination,
)
from domain.rules.rule_set import RuleBook

app = typer.Typer(help="The programme: its figures, and what the governments tell it.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Named = Annotated[str | None, typer.Option("--programme", help="Which one.", show_default="venezuela-air")]


@app.command()
def show(programme: Named = None, json: Json = False) -> None:
    """Show the programme's status, rules and places."""

    async def work(stack: Reached) -> None:
        await show_programme(stack, programme or stack.settings.programme, json=json)

    on_the_stack(work)


@app.command()
def suspend(programme: Named = None, json: Json = False) -> None:
    """Suspend the programme: no case is decided and nobody boards until it resumes."""
    _tell(programme, lambda _: ProgrammeSuspension(), json=json)


@app.command()
def resume(programme: Named = None, json: Json = False) -> None:
    """Resume a suspended programme: every case goes on with the time that it had left."""
    _tell(programme, lambda _: ProgrammeResumption(), json=json)


@app.command()
def terminate(
    parole_ends_on: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day of parole for whoever is paroled longer.")
    ],
    programme: Named = None,
    json: Json = False,
) -> None:
    """End the programme for good: whoever is not yet paroled travels no more."""
    message = ProgrammeTermination(parole_ends_on=parole_ends_on.date())
    _tell(programme, lambda _: message, json=json)


@app.command()
def cap(
    places: Annotated[int, typer.Argument(min=0, max=10**9, metavar="N", help="Places in all, or a month.")],
    programme: Named = None,
    json: Json = False,
) -> None:
    """Set how many places there are, in place of the rule set's own number."""
    _tell(programme, lambda _: CapChange(places=places), json=json)


@app.command("adopt-rules")
def adopt_rules(
    rules: Annotated[str, typer.Argument(metavar="VERSION|FILE", help="A version, or a file that holds one.")],
    programme: Named = None,
    json: Json = False,
) -> None:
    """Adopt a rule set for cases filed from now on; running cases keep theirs unless the set says otherwise."""
    _tell(programme, lambda book: adoption(rules, book), json=json)


def _tell(programme: str | None, message: Callable[[RuleBook], GovernmentsMessage], *, json: bool) -> None:
    async def work(stack: Reached) -> None:
        named = programme or stack.settings.programme
        await tell(stack, named, message(stack.backing.cases.rules))
        await show_programme(stack, named, json=json)

    on_the_stack(work)
