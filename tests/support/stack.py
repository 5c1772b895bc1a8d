"""A stack as a user runs it: the installed `passage` command, in a directory of its own whose name holds a space."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import psutil

from process.config import child_environment

_PASSAGE = str(Path(sys.executable).with_name("passage"))
_PATIENCE_S = 120


def bare_environment(own: dict[str, str] | None = None) -> dict[str, str]:
    """No setting of the developer's own reaches a test."""
    environment = child_environment({}, without="PASSAGE_")
    kept = {name: value for name, value in environment.items() if not name.startswith("TEMPORAL_")}
    return {**kept, "TEMPORAL_CONFIG_FILE": "/dev/null", **(own or {})}


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for `condition`, at most two minutes."""
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {_PATIENCE_S} s for {what}"
        time.sleep(0.05)


def run_passage(
    *arguments: str, cwd: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [_PASSAGE, *arguments],
        cwd=cwd,
        env=bare_environment(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )


class RunningStack:
    """`passage up` (or another command that brings a stack up) under way. `with` stops it, whatever happened."""

    def __init__(self, home: Path, *command: str, environment: dict[str, str] | None = None) -> None:
        self.home = home
        self.data_dir = home / ".passage"
        self._command = command or ("up",)
        self._environment = environment
        self._seen: set[int] = set()
        self.process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        self.home.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [_PASSAGE, *self._command],
            cwd=self.home,
            env=bare_environment(self._environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        until(lambda: self.process.poll() is not None or self._is_ready(), "the stack")
        assert self.process.poll() is None, self.process.stderr.read() if self.process.stderr else ""
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        for pid in self._seen:
            self._end_leftover(pid)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop and wait; its exit code."""
        self.process.send_signal(how)
        self.process.communicate(timeout=_PATIENCE_S)
        return self.process.returncode

    def kill(self, *, children: bool) -> None:
        """`kill -9` of the stack's own process, and of everything it started if `children`."""
        victims = list(self.pids.values()) if children else []
        for pid in (self.process.pid, *victims):
            os.kill(pid, signal.SIGKILL)
        self.process.communicate(timeout=_PATIENCE_S)

    @property
    def state(self) -> dict[str, Any]:
        """`stack.json` of this moment."""
        found: dict[str, Any] = json.loads((self.data_dir / "stack.json").read_text())
        self._seen.update(found["pids"].values())
        return found

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name."""
        return dict(self.state["pids"])

    def _is_ready(self) -> bool:
        # A stack that was killed leaves its file behind until the next one starts.
        return (self.data_dir / "stack.json").exists() and f"{self.process.pid}" == self._owner() and bool(self.state)

    def _owner(self) -> str:
        return (self.data_dir / "lock").read_text().strip()

    def _end_leftover(self, pid: int) -> None:
        try:
            process = psutil.Process(pid)
            if str(self.data_dir) in " ".join([process.cwd(), *process.cmdline(), *process.environ().values()]):
                process.kill()
        except psutil.Error:
            return
