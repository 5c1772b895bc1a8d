"""The folder of one run: what it keeps, and which servers it started, so that the next run ends what a killed one left.

A run holds its folder's lock for as long as it lives, so a folder whose lock can be had belongs to nobody any more.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Final, Self, TextIO

from stack.errors import StackBusyError, StackError
from stack.leftovers import end_orphans
from stack.postgres.server import EmbeddedPostgres, PostgresFailed
from stack.state import ProcessRecord, lock, write_processes

_PREFIX: Final = "passage-simulate-"
_POSTGRES: Final = "postgres"


class RunFolder:
    """A folder that is gone after the run, and the list of the servers that run for it. Use as a context manager."""

    def __init__(self, kept: "tempfile.TemporaryDirectory[str]", held: TextIO) -> None:
        self.path = Path(kept.name)
        self.postgres = self.path / _POSTGRES
        self._kept, self._held = kept, held
        self._running: dict[int, ProcessRecord] = {}
        self._writing = threading.Lock()

    def note(self, process: "subprocess.Popen[bytes]", argv: tuple[str, ...]) -> None:
        """Write down a server that was just started and keeps nothing: whoever finds it may kill it."""
        with self._writing:
            self._running[process.pid] = ProcessRecord.of(Path(argv[0]).name, process.pid, argv, signal.SIGKILL)
            write_processes(self.path, tuple(self._running.values()))

    def forget(self, process: "subprocess.Popen[bytes]") -> None:
        """It has ended."""
        with self._writing:
            self._running.pop(process.pid, None)
            write_processes(self.path, tuple(self._running.values()))

    def __enter__(self) -> Self:
        """The folder is there already."""
        return self

    def __exit__(self, *_: object) -> None:
        """The folder goes, and nobody has to look after this run."""
        self._kept.cleanup()
        self._held.close()


def run_folder() -> RunFolder:
    """A new folder, after what killed runs left was taken away. Blocks, for seconds where there is such.

    Raises:
        StackError: a server that was left cannot be ended.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        _clear_if_abandoned(folder)
    kept = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
    held = lock(Path(kept.name))
    write_processes(Path(kept.name), ())  # from here on it can be told from a folder that is only being made
    return RunFolder(kept, held)


def _clear_if_abandoned(folder: Path) -> None:
    if folder.is_symlink() or not (folder / "processes.json").exists() or folder.stat().st_uid != os.getuid():
        return
    try:
        held = lock(folder)
    except (StackBusyError, FileNotFoundError):  # its run goes on, or has just ended
        return
    with held:
        end_orphans(folder)
        if (folder / _POSTGRES).exists():
            try:
                EmbeddedPostgres(folder / _POSTGRES).end_left_behind()
            except PostgresFailed as error:
                raise StackError(str(error)) from None
        shutil.rmtree(folder, ignore_errors=True)
