"""`passage simulate`: run scenario files through the real workflow, with time skipped."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from process.config import load_settings
from process.logs import configure_logs
from simulation.format.faults import MalformedScenario
from simulation.format.loader import load_scenarios
from simulation.format.scenario import Scenario
from simulation.play.outcome import Result
from simulation.play.table import show
from simulation.skipped.runner import run_scenarios

HOLDS: Final = 0
DIFFERS: Final = 1
MALFORMED: Final = 2
INTERRUPTED: Final = 130

Files = Annotated[list[Path], typer.Argument(help="Scenario files (YAML).", metavar="FILE...", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a scenario, one a line.")]


def simulate(files: Files, json: Json = False) -> int:
    """Play scenarios against the real system. Exits with 0 if all hold, 1 if one differs, 2 if a file is malformed."""
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
    return asyncio.run(_run_until_told(scenarios, json=json))


async def _run_until_told(scenarios: list[Scenario], *, json: bool) -> int:
    """Run them; when told to stop, take down the servers that were started before leaving."""
    running = asyncio.create_task(_run(scenarios, json=json))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        return await running
    except asyncio.CancelledError:
        return INTERRUPTED


async def _run(scenarios: list[Scenario], *, json: bool) -> int:
    console = Console(soft_wrap=True, highlight=False)

    def tell(result: Result) -> None:
        if json:
            typer.echo(result.model_dump_json())
        else:
            show(console, result)

    return HOLDS if await run_scenarios(scenarios, tell) else DIFFERS
