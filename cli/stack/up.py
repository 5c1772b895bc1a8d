"""`passage up`: the embedded stack alone, until Ctrl-C."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.stack.foreground import in_foreground
from process.config import load_settings
from process.logs import configure_logs
from stack.embedded import EmbeddedStack
from stack.state import StackState

DataDir = Annotated[Path | None, typer.Option(help="Where the stack keeps its data.", show_default=".passage")]


def up(data_dir: DataDir = None) -> None:
    """Start the embedded stack and keep it running until Ctrl-C."""
    settings = load_settings(data_dir=data_dir, from_running_stack=False)
    configure_logs(settings, "stack")
    asyncio.run(in_foreground(EmbeddedStack(settings), _announce_and_wait))


async def _announce_and_wait(state: StackState) -> None:
    show_links(state)
    await asyncio.Event().wait()


def show_links(state: StackState) -> None:
    """Where a person goes next."""
    console = Console(soft_wrap=True, highlight=False)
    if state.temporal_ui_url:
        console.print(f"Temporal UI  {state.temporal_ui_url}")
    console.print(f"Gateway      {state.gateway_url}/docs")
    if state.sender_keys:
        console.print(f"Partner keys {state.sender_keys}")
    console.print("Ctrl-C stops everything.")
