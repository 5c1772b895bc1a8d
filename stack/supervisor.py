"""Starts the processes of a stack in order, keeps them alive, and stops what it started and nothing else."""

import asyncio
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog

from stack.errors import StackError
from stack.leftovers import bound_log, end_orphans, last_words, open_log
from stack.ports import listens
from stack.services import Launch, Service, SideBySide, Step
from stack.state import ProcessRecord, write_processes

_POLL_S = 0.05
_START_ATTEMPTS = 3
"""A start fails for a reason of its own at most once; the others are for ports that someone took meanwhile."""

T = TypeVar("T")

log = structlog.get_logger("stack")


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When a process that keeps dying is given up.

    Seven restarts span at least 16 s: a program may fail a few times while the server that it needs recovers.
    """

    crashes: int = 8
    window_s: float = 120
    first_wait_s: float = 0.2
    longest_wait_s: float = 5


@dataclass(slots=True)
class _Child:
    service: Service
    launch: Launch
    process: subprocess.Popen[bytes]
    record: ProcessRecord


class _EndedAtStart(StackError):
    """A process ended before it was ready: another start, with other ports, may do better."""


class Supervisor:
    """Owns the processes of one stack. Start it once, stop it once; `changed` is called after each restart."""

    def __init__(
        self,
        data_dir: Path,
        plan: Sequence[Service | Step | SideBySide],
        *,
        changed: Callable[[], None] = lambda: None,
        policy: RestartPolicy | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._logs = data_dir / "logs"
        self._plan = plan
        self._changed = changed
        self._policy = policy or RestartPolicy()
        self._children: dict[str, _Child] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._given_up: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name, of the children that run now."""
        return {name: child.process.pid for name, child in self._children.items()}

    async def start(self) -> None:
        """End what an earlier run left behind, then bring up the plan in order. Raises StackError; then call stop."""
        self._logs.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(end_orphans, self._data_dir)
        for entry in self._plan:
            if isinstance(entry, Step):
                await entry.run()
            else:
                group = entry if isinstance(entry, SideBySide) else SideBySide(((entry,),))
                children = await self._bring_up(group)
                self._keepers += [asyncio.create_task(self._keep(child)) for child in children]

    async def failure(self) -> str:
        """Wait until a process is given up, and say why in one line."""
        return await asyncio.shield(self._given_up)

    async def stop(self) -> None:
        """Ask the children to end, what others need last; whoever does not is killed. Bounded by their timeouts."""
        self._stopping.set()
        stages = sorted({child.service.stage for child in self._children.values()}, reverse=True)
        for stage in stages:
            members = [child for child in self._children.values() if child.service.stage == stage]
            await asyncio.gather(*(self._end(child) for child in members))
        await asyncio.gather(*self._keepers)

    async def _bring_up(self, group: SideBySide) -> list[_Child]:
        others = set(self._children)
        for attempt in range(1, _START_ATTEMPTS + 1):
            group.before()
            try:
                return await _together([self._lane(lane) for lane in group.lanes])
            except _EndedAtStart as ended:
                log.warning("start failed", why=str(ended), attempt=attempt)
                if attempt == _START_ATTEMPTS:
                    raise
            begun = [child for name, child in self._children.items() if name not in others]
            await asyncio.gather(*(self._end(child) for child in begun))
        raise AssertionError("the last attempt returns or raises")

    async def _lane(self, lane: Sequence[Service | Step]) -> list[_Child]:
        children = []
        for entry in lane:
            if isinstance(entry, Step):
                await entry.run()
            else:
                children.append(await self._start(entry))
        return children

    async def _start(self, service: Service) -> _Child:
        began = time.monotonic()
        child = self._spawn(service, await _to_its_end(service.prepare))
        if await self._is_up(child):
            log.info("ready", service=service.name, pid=child.process.pid, seconds=round(time.monotonic() - began, 1))
            return child
        if child.process.poll() is None:
            await self._end(child)
            raise StackError(
                f"{service.name} did not answer within {service.start_timeout_s:g} s: {self._hint(service)}"
            )
        self._forget(child)
        raise _EndedAtStart(f"{service.name} does not start: {self._hint(service)}")

    async def _is_up(self, child: _Child) -> bool:
        deadline = time.monotonic() + child.service.start_timeout_s
        while time.monotonic() < deadline:
            if child.process.poll() is not None:
                return False
            if listens(child.process.pid, child.launch.ports) and await child.service.ready():
                # Asked last: the process may have died while it was found ready.
                return child.process.poll() is None
            await asyncio.sleep(_POLL_S)
        return False

    def _spawn(self, service: Service, launch: Launch) -> _Child:
        try:
            process = _start(launch, self._log_of(service))
        except OSError as error:
            raise StackError(f"{service.name} cannot be started: {error}") from None
        record = ProcessRecord.of(service.name, process.pid, launch.argv, service.stop_signal)
        child = _Child(service, launch, process, record)
        self._children[service.name] = child
        self._write_down()
        return child

    async def _keep(self, child: _Child) -> None:
        crashes: deque[float] = deque()
        while not self._stopping.is_set():
            if (status := child.process.poll()) is None:
                bound_log(self._log_of(child.service))
                await asyncio.sleep(_POLL_S)
                continue
            self._forget(child)
            crashes.append(time.monotonic())
            while crashes[0] < crashes[-1] - self._policy.window_s:
                crashes.popleft()
            name = child.service.name
            log.error("process ended", service=name, status=status, crashes=len(crashes))
            if len(crashes) >= self._policy.crashes:
                self._give_up(
                    f"{name} ended {len(crashes)} times in {self._policy.window_s:g} s: {self._hint(child.service)}"
                )
                return
            if await self._stopped_within(self._backoff_s(len(crashes))):
                return
            try:
                child = self._spawn(child.service, child.launch)
            except StackError as error:
                self._give_up(str(error))
                return
            log.info("restarted", service=name, pid=child.process.pid)
            self._changed()

    def _log_of(self, service: Service) -> Path:
        return self._logs / f"{service.name}.log"

    def _hint(self, service: Service) -> str:
        path = self._log_of(service)
        return f"{last_words(path)} (more in {path})"

    def _backoff_s(self, crashes: int) -> float:
        return min(self._policy.longest_wait_s, self._policy.first_wait_s * 2.0 ** (crashes - 1))

    async def _stopped_within(self, wait_s: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), wait_s)
        except TimeoutError:
            return False
        return True

    async def _end(self, child: _Child) -> None:
        if child.process.poll() is None:
            child.process.send_signal(child.service.stop_signal)
        deadline = time.monotonic() + child.service.stop_timeout_s
        while child.process.poll() is None:
            if time.monotonic() > deadline:
                log.error("killed", service=child.service.name, after_s=child.service.stop_timeout_s)
                os.killpg(child.process.pid, signal.SIGKILL)
                deadline = float("inf")
            await asyncio.sleep(_POLL_S)
        self._forget(child)

    def _forget(self, child: _Child) -> None:
        self._children.pop(child.service.name, None)
        self._write_down()

    def _write_down(self) -> None:
        write_processes(self._data_dir, tuple(child.record for child in self._children.values()))

    def _give_up(self, why: str) -> None:
        if not self._given_up.done():
            self._given_up.set_result(why)


def _start(launch: Launch, log_file: Path) -> subprocess.Popen[bytes]:
    with open_log(log_file) as output:
        return subprocess.Popen(
            launch.argv,
            env=dict(launch.environment),
            cwd=launch.directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            **launch.popen,
            start_new_session=True,  # a terminal's Ctrl-C reaches the supervisor alone, which then stops in order
        )


async def _together(lanes: Iterable[Coroutine[Any, Any, list[_Child]]]) -> list[_Child]:
    """Wait for all; the first that fails ends the others and is raised."""
    tasks = [asyncio.create_task(lane) for lane in lanes]
    try:
        return [child for children in await asyncio.gather(*tasks) for child in children]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _to_its_end(work: Callable[[], T]) -> T:
    """Run blocking work in a thread; also when cancelled it is waited for, or it would go on behind our back."""
    thread = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait([thread])
        raise
