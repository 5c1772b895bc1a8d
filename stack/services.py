"""What the supervisor keeps running: how a process is started, known to be ready, and asked to stop."""

import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Launch:
    """One way to start a process."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    ports: tuple[int, ...] = ()
    """Ready at the earliest when the process itself listens on each of them."""
    directory: Path | None = None
    popen: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of `subprocess.Popen`, such as the system user: Postgres refuses to run as root."""


class Service(Protocol):
    """A process of the stack."""

    name: str
    stage: int
    """Stopped in falling order: what others need goes last."""
    stop_signal: signal.Signals
    start_timeout_s: float
    stop_timeout_s: float

    def prepare(self) -> Launch:
        """Everything that precedes the start, ports included. May block; asked again if a start fails."""

    async def ready(self) -> bool:
        """Asked every 50 ms once the ports answer, until true."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something done once on the way up, such as migrations. A failure ends the start."""

    name: str
    run: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Lanes that are brought up at the same time, each in its own order. One that fails ends the others."""

    lanes: tuple[tuple[Service | Step, ...], ...]
    before: Callable[[], None] = lambda: None
    """What must stand before any of them is prepared, such as ports that the others are told. Asked again with them."""


async def _at_once() -> bool:
    return True


@dataclass(slots=True)
class PythonService:
    """One of Passage's own programs: `python -m <module>`."""

    name: str
    module: str
    environment: Callable[[], Mapping[str, str]]
    """Asked at each start: earlier services decide addresses."""
    ports: Callable[[], tuple[int, ...]] = tuple
    is_ready: Callable[[], Awaitable[bool]] = _at_once
    stage: int = 3
    stop_signal: signal.Signals = signal.SIGTERM
    start_timeout_s: float = 60
    """Five of them import side by side, which takes 4 s on two idle cores; a busy machine may need ten times that."""
    stop_timeout_s: float = 35  # the worker lets running activities end, for at most 30 s

    def prepare(self) -> Launch:
        """`-P` keeps a stray `worker.py` in the user's directory from being run in place of ours."""
        ports = self.ports()
        return Launch((sys.executable, "-P", "-m", self.module), self.environment(), ports)

    async def ready(self) -> bool:
        """Whatever this program was given as its sign of readiness."""
        return await self.is_ready()
