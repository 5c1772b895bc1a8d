"""`passage programme`: what the governments ask of a programme and tell it. Every word goes through the inbox."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated

import typer

from cli.governing import open_programme, rules_named, sets_of, show_programme, show_programmes, tell
from cli.reach import Reached, on_the_stack
from domain.kernel.messages import (
    CapChange,
    GovernmentsMessage,
    ProgrammeResumption,
    ProgrammeSuspension,
    ProgrammeTermination,
    RulesAdoption,
)
from domain.kernel.rule_set import RuleSet

app = typer.Typer(help="The programmes: their figures, and what the governments tell them.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
RulesArgument = Annotated[
    str, typer.Argument(metavar="VERSION|FILE", help="A version, or a file that holds one.", show_default=False)
]
Named = Annotated[str | None, typer.Option("--programme", help="Which one.", show_default="venezuela-air")]


@app.command()
def show(
    programme: Annotated[str | None, typer.Option("--programme", help="Only this one.")] = None, json: Json = False
) -> None:
    """Show the status, rules and places of every programme, or of one."""

    async def work(stack: Reached) -> None:
        if programme is None:
            await show_programmes(stack, json=json)
        else:
            await show_programme(stack, programme, json=json)

    on_the_stack(work)


@app.command("open")
def open_(
    rules: RulesArgument,
    programme: Named = None,
    places: Annotated[int | None, typer.Option(min=0, max=10**9, help="Places, in place of the rules' number.")] = None,
    json: Json = False,
) -> None:
    """Open a programme under a rule set: cases may be filed from then on."""

    async def work(stack: Reached) -> None:
        named = programme or stack.settings.programme
        await open_programme(stack, rules_named(rules, sets_of(named)), places)
        await show_programme(stack, named, json=json)

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
    pool: Annotated[str | None, typer.Option(help="Of which pool, where the programme draws on several.")] = None,
    programme: Named = None,
    json: Json = False,
) -> None:
    """Set how many places there are, in place of the rule set's own number."""
    _tell(programme, lambda _: CapChange(places=places, pool=pool), json=json)


@app.command("adopt-rules")
def adopt_rules(
    rules: RulesArgument,
    programme: Named = None,
    json: Json = False,
) -> None:
    """Adopt a rule set for cases filed from now on; running cases keep theirs unless the set says otherwise."""
    _tell(programme, lambda sets: RulesAdoption(rules=rules_named(rules, sets).version), json=json)


def _tell(programme: str | None, message: Callable[[Mapping[str, RuleSet]], GovernmentsMessage], *, json: bool) -> None:
    async def work(stack: Reached) -> None:
        named = programme or stack.settings.programme
        await tell(stack, named, message(sets_of(named)))
        await show_programme(stack, named, json=json)

    on_the_stack(work)
