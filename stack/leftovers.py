"""What an earlier run that was killed may have left behind: its processes, and its logs."""

import os
import shutil
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import psutil
import structlog

from stack.errors import StackError
from stack.state import read_processes, write_processes

_GRACE_S = 10.0
_KILL_S = 5.0
_POLL_S = 0.02
_LOG_KEEP_BYTES = 20_000_000
_LAST_WORDS_CHARACTERS = 200

log = structlog.get_logger("stack")


def end_orphans(data_dir: Path) -> None:
    """End the children of an earlier run that were not stopped, each recognised by pid, start time and command line.

    Raises StackError if one cannot be ended.
    """
    # Last started first: what others need goes last, as in an orderly stop.
    for record in reversed(read_processes(data_dir)):
        process = record.find()
        if process is None:
            continue
        log.warning("ending what an earlier run left", service=record.name, pid=process.pid)
        if not _ended(process, (record.stop_signal, signal.SIGKILL)):
            raise StackError(f"{record.name} of an earlier run (process {process.pid}) cannot be ended")
    write_processes(data_dir, ())


def _ended(process: psutil.Process, signals: Iterable[signal.Signals]) -> bool:
    for number in signals:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            return True
        deadline = time.monotonic() + (_KILL_S if number is signal.SIGKILL else _GRACE_S)
        while time.monotonic() < deadline:
            if not _runs(process):
                return True
            time.sleep(_POLL_S)
    return False


def _runs(process: psutil.Process) -> bool:
    """A zombie has ended: whoever adopted it may be slow to notice, or never do."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def open_log(path: Path) -> BinaryIO:
    """The log of one child, appended to; a long one is set aside first, and the one set aside before is dropped."""
    if path.exists() and path.stat().st_size > _LOG_KEEP_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def bound_log(path: Path) -> None:
    """Set a log aside that grows too long under a child that holds it open: it is copied, and begun anew.

    The child appends, so it goes on at the new beginning; what it says within the copy's milliseconds is lost.
    """
    if path.stat().st_size > _LOG_KEEP_BYTES:
        shutil.copyfile(path, path.with_suffix(".log.1"))
        os.truncate(path, 0)


def last_words(path: Path) -> str:
    """The last line of a log that says something, short enough to stand in a message."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - 8192))
        lines = file.read().decode(errors="replace").splitlines()
    return next((line.strip()[:_LAST_WORDS_CHARACTERS] for line in reversed(lines) if line.strip()), "it said nothing")
