"""What a stack writes down: `stack.json` for people and tools, `processes.json` to find its own children again."""

import fcntl
import os
import signal
from pathlib import Path
from typing import Self, TextIO

import psutil
from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError

from process.config import STACK_FILE
from stack.errors import StackBusyError

_PROCESSES_FILE = "processes.json"
_LOCK_FILE = "lock"
_START_TOLERANCE_S = 5.0
"""The system derives a start time from the wall clock, which may be set meanwhile; a pid is not reused that fast."""


class StackState(BaseModel):
    """`stack.json`: where a running stack is reached. Its keys are those of `config.Settings`, plus `pids`."""

    model_config = ConfigDict(frozen=True)

    temporal_address: str
    temporal_ui_url: str | None
    gateway_url: str
    partners_url: str | None = None
    database_url: str
    """The owner's."""
    keys_dir: str
    sender_keys: str | None = None
    """With which the simulated partners sign."""
    embedded_stack: bool = True
    unsigned_messages: bool | None = None
    token_issuer: str | None = None
    token_audience: str = "passage"  # noqa: S105  whom tokens are for, which is no secret
    token_keys_url: str | None = None
    token_signing_key: str | None = None
    """With which `passage token` signs, where the stack has its own issuer."""
    clock_factor: float = 1.0
    clock_server_epoch: AwareDatetime | None = None
    clock_domain_epoch: AwareDatetime | None = None
    pids: dict[str, int]

    def write(self, data_dir: Path) -> None:
        """Replace `stack.json` at once: a reader sees the old or the new one, whole."""
        _replace(data_dir / STACK_FILE, self.model_dump_json(indent=2))


class ProcessRecord(BaseModel):
    """A child as it can be recognised after this process is gone."""

    model_config = ConfigDict(frozen=True)

    name: str
    pid: int
    started: float
    """Seconds since 1970, as the system tells it."""
    argv: tuple[str, ...]
    stop_signal: signal.Signals

    @classmethod
    def of(cls, name: str, pid: int, argv: tuple[str, ...], stop_signal: signal.Signals) -> Self:
        """The record of a child that was just started."""
        started = psutil.Process(pid).create_time()
        return cls(name=name, pid=pid, started=started, argv=argv, stop_signal=stop_signal)

    def find(self) -> psutil.Process | None:
        """The process, if it still runs; None for a stranger that was given the same pid."""
        try:
            process = psutil.Process(self.pid)
            same = (
                abs(process.create_time() - self.started) < _START_TOLERANCE_S
                and tuple(process.cmdline()) == self.argv
                and process.status() != psutil.STATUS_ZOMBIE
            )
        except psutil.Error:
            return None
        return process if same else None


_RECORDS = TypeAdapter(tuple[ProcessRecord, ...])


def write_processes(data_dir: Path, records: tuple[ProcessRecord, ...]) -> None:
    """Write down the children that run now."""
    _replace(data_dir / _PROCESSES_FILE, _RECORDS.dump_json(records).decode())


def read_processes(data_dir: Path) -> tuple[ProcessRecord, ...]:
    """The children of the last run; none if it wrote none, or if the file was cut short by a power failure."""
    try:
        return _RECORDS.validate_json((data_dir / _PROCESSES_FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return ()


def forget(data_dir: Path) -> None:
    """After an orderly stop nothing runs and nobody should look for it."""
    for name in (STACK_FILE, _PROCESSES_FILE):
        (data_dir / name).unlink(missing_ok=True)


def lock(data_dir: Path) -> TextIO:
    """Hold the data directory for as long as the file stays open. Raises StackBusyError."""
    held = (data_dir / _LOCK_FILE).open("a+", encoding="utf-8")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.seek(0)
        owner = held.read().strip()
        held.close()
        raise StackBusyError(
            f"a stack already runs in {data_dir} (process {owner or 'unknown'}): stop it first"
        ) from None
    held.truncate(0)
    held.write(str(os.getpid()))
    held.flush()
    return held


def _replace(path: Path, text: str) -> None:
    fresh = path.with_suffix(".tmp")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
