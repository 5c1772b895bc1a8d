"""`passage simulate`: run scenario files through the real workflow, with time skipped."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from config import load_settings
from logs import configure_logs
from simulation.faults import MalformedScenario
from simulation.format import Scenario
from simulation.loader import load_scenarios
from simulation.outcome import Result
from simulation.runner import run_scenarios
from simulation.table import show

HOLDS, DIFFERS, MALFORMED = 0, 1, 2

Files = Annotated[list[Path], typer.Argument(help="Scenario files (YAML).", metavar="FILE...", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a scenario, one a line.")]


def simulate(files: Files, json: Json = False) -> int:
    """Play scenarios against the real system and compare: 0 all hold, 1 one differs, 2 a file is malformed."""
    try:
        scenarios = load_scenarios(files)
    except MalformedScenario as malformed:
        for fault in malformed.faults:
            typer.echo(str(fault), err=True)
        return MALFORMED
    settings = load_settings(from_running_stack=False)
    if "log_level" not in settings.model_fields_set:
        settings = settings.model_copy(update={"log_level": "error"})  # partners that fail are part of the play
    configure_logs(settings, "simulate")
    return asyncio.run(_run(scenarios, json=json))


async def _run(scenarios: list[Scenario], *, json: bool) -> int:
    console = Console(soft_wrap=True, highlight=False)

    def tell(result: Result) -> None:
        if json:
            typer.echo(result.model_dump_json())
        else:
            show(console, result)

    return HOLDS if await run_scenarios(scenarios, tell) else DIFFERS
