"""A whole stack under test: real servers, real programs, simulated partners, two domain days a second; to be killed."""

import contextlib
import functools
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

import psutil

from process.config import Settings, load_settings
from tests.support.stack import bare_environment, run_passage

_PROGRAM: Final = Path(__file__).with_name("stack_program.py")

DAY_S: Final = 0.5
"""A domain day in seconds, on an idle machine. The shortest limit that somebody must keep, 30 days, so leaves 15 s for
a restart."""
SLOWEST: Final = 4.0
DAY_ONE: Final = datetime(2022, 10, 19, 12, tzinfo=UTC)
PATIENCE_S: Final = 120.0


@functools.cache
def slowness() -> float:
    """How many times as long as on an idle machine a program takes to start now; 1 to `SLOWEST`.

    So much longer are a domain day and every patience, for so much longer takes a restart.
    """
    began, used = time.monotonic(), _processor_s()
    subprocess.run([sys.executable, "-c", "import worker"], cwd=_PROGRAM.parents[2], check=True)
    return min(max(1.0, (time.monotonic() - began) / (_processor_s() - used)), SLOWEST)


def _processor_s() -> float:
    """What the children that have ended have had of the processors."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class WholeStack:
    """One data directory and the stack that runs in it; may be stopped, killed and started again."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.data_dir = home / ".passage"
        self.program: tuple[str, ...] = (str(_PROGRAM),)
        """The script that is the stack, and its arguments."""
        self.output = home / "output"
        self.process: subprocess.Popen[bytes] | None = None
        self._home = home
        self._environment = {
            "PASSAGE_DATA_DIR": str(self.data_dir),
            "PYTHONPATH": os.environ.get("PYTHONPATH", str(_PROGRAM.parents[2])),
            # Its own ports, the same after each start: partners know where the gateway is.
            "PASSAGE_GATEWAY_PORT": str(free_port()),
            "PASSAGE_SIMULATORS_PORT": str(free_port()),
            "PASSAGE_CLOCK_FACTOR": str(86_400 / (DAY_S * slowness())),
            "PASSAGE_CLOCK_SERVER_EPOCH": datetime.now(UTC).isoformat(),
            "PASSAGE_CLOCK_DOMAIN_EPOCH": DAY_ONE.isoformat(),
            **settings,
        }
        self._started: dict[int, float] = {}

    def start(self) -> None:
        """Bring it up, at first or again on what it kept."""
        self._home.mkdir(parents=True, exist_ok=True)
        (self.data_dir / "stack.json").unlink(missing_ok=True)  # a stack that was killed leaves it behind
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-P", *self.program],  # or tests/support would come before the project's own `stack`
                cwd=self._home,
                env=bare_environment(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.until(self._is_up, "the stack to come up")

    def stop(self) -> None:
        """An orderly stop."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE_S) == 0, self._words()

    @property
    def day_s(self) -> float:
        """A domain day in seconds."""
        return 86_400 / float(self._environment["PASSAGE_CLOCK_FACTOR"])

    def domain_now(self) -> datetime:
        """The domain's moment, as the stack's programs have it."""
        began = datetime.fromisoformat(self._environment["PASSAGE_CLOCK_SERVER_EPOCH"])
        epoch = datetime.fromisoformat(self._environment["PASSAGE_CLOCK_DOMAIN_EPOCH"])
        return epoch + (datetime.now(UTC) - began) * float(self._environment["PASSAGE_CLOCK_FACTOR"])

    def step_clock(self, step: timedelta) -> None:
        """At the next start the domain's clock shows `step` more than it would have."""
        epoch = datetime.fromisoformat(self._environment["PASSAGE_CLOCK_DOMAIN_EPOCH"])
        self._environment["PASSAGE_CLOCK_DOMAIN_EPOCH"] = (epoch + step).isoformat()

    def kill(self, name: str) -> int:
        """`kill -9` of one program; the pid it had."""
        victim = self.pids[name]
        os.kill(victim, signal.SIGKILL)
        return victim

    @contextlib.contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """The program does nothing, and does not know it: a machine that hangs."""
        pid = self.pids[name]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def log_of(self, name: str) -> str:
        """What the program has logged."""
        return (self.data_dir / "logs" / f"{name}.log").read_text(errors="replace")

    def passage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command beside the stack, to its end."""
        return run_passage(*arguments, cwd=self.data_dir, environment={"PASSAGE_DATA_DIR": str(self.data_dir)})

    @contextlib.contextmanager
    def another_worker(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """One more worker beside the stack's own, which nobody starts again."""
        with (self.data_dir / "logs" / f"{name}.log").open("ab") as output:
            worker = subprocess.Popen(
                [sys.executable, "-P", "-m", "worker"],
                cwd=self._home,
                env=bare_environment(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self.until(lambda: "worker polls" in self.log_of(name), name)
            yield worker
        finally:
            worker.kill()
            worker.wait()

    def kill_everything(self) -> None:
        """`kill -9` of every process at once, the one that would restart the others first."""
        assert self.process is not None
        for pid in (self.process.pid, *self.pids.values()):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    def wait_for_another(self, name: str, before: int) -> None:
        """Until the program runs under another pid than `before`."""
        self.until(lambda: self.pids.get(name, before) != before, f"{name} to be started again")

    def close(self) -> None:
        """Stop it if it runs, and leave nothing behind, whatever happened."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
                self.stop()
        survivors = [self.process.pid] if self.process is not None and self.process.poll() is None else []
        for pid in [*survivors, *self._started]:
            self._end(pid)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_up(self) -> bool:
        """Whether it runs and has not given up."""
        return self.process is not None and self.process.poll() is None

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by program, as the stack has written them down."""
        found: dict[str, int] = self._state()["pids"]
        for pid in found.values():
            if pid not in self._started:
                with contextlib.suppress(psutil.Error):
                    self._started[pid] = psutil.Process(pid).create_time()
        return found

    @property
    def settings(self) -> Settings:
        """With which another process reaches what runs now."""
        return load_settings(data_dir=self.data_dir)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for `condition`; the stack itself must not end meanwhile."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert self.is_up, f"the stack ended: {self._words()}"
            assert time.monotonic() < deadline, f"waited {PATIENCE_S:g} s for {what}: {self._words()}"
            time.sleep(0.02)

    def _state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data_dir / "stack.json").read_text())
        return found

    def _is_up(self) -> bool:
        return (self.data_dir / "stack.json").exists() and bool(self.pids)

    def _words(self) -> str:
        return self.output.read_text(errors="replace")[-2000:]

    def _end(self, pid: int) -> None:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if self._started.get(pid, process.create_time()) == process.create_time():
                process.kill()


def free_port() -> int:
    """A port that the system finds free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
