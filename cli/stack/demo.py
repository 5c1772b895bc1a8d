"""`passage demo`: the embedded stack, simulated partners, and scenario files whose cases say how they must end."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import httpx2
import psutil
import typer
from pydantic import SecretStr

from cli.errors import FaultFoundError, UnusableError
from cli.stack.demo_view import view_of
from cli.stack.foreground import in_foreground
from cli.stack.up import DataDir
from process.backing import Backing, open_backing
from process.config import Settings, load_settings
from process.key_files import sender_keys
from process.logs import configure_logs
from simulation.demonstration.repeat import demonstration
from simulation.play.agenda import first_moment
from simulation.play.client import REQUEST_TIMEOUT_S, GatewayClient, RequestRefusedError
from simulation.play.opening import open_programmes
from simulation.play.outcome import Result
from simulation.play.table import difference_in_words
from simulation.scaled.board import Board
from simulation.scaled.performance import Performance
from stack.embedded import EmbeddedStack
from stack.state import StackState

FOLDER: Final = "demo"
"""Under the data directory, emptied at each start."""
DAY_ONE: Final = datetime(2022, 10, 19, 12, tzinfo=UTC)
"""The domain's moment at which the demonstration is started: the programme's second week."""
DAY_S: Final = 86_400
LIFE: Final = timedelta(days=1000)
"""From a filing to the last close: a wait, two years of parole, and what follows."""
PATIENCE: Final = 3
"""A loaded machine may take so many times as long before the demonstration gives up on what is still open."""


def demo(
    cases: Annotated[int, typer.Option(min=1, max=5000, help="How many; 13 show every outcome.")] = 30,
    leave: Annotated[bool, typer.Option("--exit", help="End when every case has: 0 if all ended as told.")] = False,
    speed: Annotated[float, typer.Option(min=0.1, max=50, help="Days that pass in a second.")] = 10.0,
    data_dir: DataDir = None,
) -> None:
    """Watch cases live their whole lives, two years of parole in a minute, here and in the Temporal UI."""
    found = load_settings(data_dir=data_dir, from_running_stack=False)
    if found.database_url is not None or found.temporal_is_given:
        raise UnusableError(
            "a demonstration runs on servers of its own: unset PASSAGE_DATABASE_URL and TEMPORAL_ADDRESS"
        )
    settings = found.model_copy(
        update={"clock_factor": speed * DAY_S, "clock_server_epoch": datetime.now(UTC), "clock_domain_epoch": DAY_ONE}
    )
    configure_logs(settings.model_copy(update={"log_level": "warning"}), "demo")
    shown = _Demonstration(settings, cases, stay=not leave)
    asyncio.run(in_foreground(EmbeddedStack(settings, simulators=True, fresh=FOLDER), shown.run))
    if shown.fault is not None:
        raise FaultFoundError(shown.fault)


class _Demonstration:
    """One run on a stack that is up."""

    def __init__(self, settings: Settings, cases: int, *, stay: bool) -> None:
        self._settings = settings
        self._scenarios = demonstration(cases)
        self._stay = stay
        self.fault: str | None = None
        """What ended otherwise than told, in one line."""

    async def run(self, state: StackState) -> None:
        """Play, compare and show; then stay until Ctrl-C. Raises `UnusableError` where a request was refused."""
        settings = _reaching(self._settings, state)
        async with (
            open_backing(settings) as backing,
            httpx2.AsyncClient(trust_env=False, timeout=REQUEST_TIMEOUT_S) as http,
        ):
            client = GatewayClient(http, settings.gateway_url, settings.partners_url, sender_keys(settings.sender_keys))
            view = view_of(settings, backing.clock)
            board = Board(view.changed)
            performance = Performance(self._scenarios, settings.programme, client, backing.clock, board)
            for each in performance.playing:
                await open_programmes(backing.cases, each.scenario, backing.now())
            with view.showing(list(performance.cases()), board):
                await self._play(performance, board, backing)
            results = await performance.results(backing.store)
        first = None if board.first_authorized is None else board.first_authorized - _started()
        view.conclude(results, first, stay=self._stay)
        self.fault = _fault(results)
        if self._stay:
            await asyncio.Event().wait()

    async def _play(self, performance: Performance, board: Board, backing: Backing) -> None:
        first, last = first_moment(self._scenarios[0]), first_moment(self._scenarios[-1])
        limit_s = PATIENCE * (last - first + LIFE).total_seconds() / self._settings.clock_factor
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(board.watch(backing.store))
                with contextlib.suppress(TimeoutError):  # what is open still is what the results then say
                    async with asyncio.timeout(limit_s):
                        await performance.play()
                watching.cancel()
        except* RequestRefusedError as refused:
            raise UnusableError(_first_line(refused)) from None


def _fault(results: Sequence[Result]) -> str | None:
    otherwise = [f"{each.scenario}: {difference_in_words(each.differences[0])}" for each in results if not each.ok]
    told = f"{len(otherwise)} of {len(results)} scenarios ended otherwise than told: {' | '.join(otherwise)}"
    return told if otherwise else None


def _first_line(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)


def _started() -> float:
    """The monotonic moment at which this process began, its imports included."""
    return time.monotonic() - (time.time() - psutil.Process().create_time())


def _reaching(settings: Settings, state: StackState) -> Settings:
    """The settings with which this process reaches the stack that it started."""
    found = state.model_dump(exclude={"pids", "database_url", "keys_dir", "sender_keys"}, exclude_none=True)
    secret = SecretStr(state.database_url)
    keys = {"keys_dir": Path(state.keys_dir), "sender_keys": state.sender_keys and Path(state.sender_keys)}
    return settings.model_copy(update={**found, **keys, "database_url": secret})
