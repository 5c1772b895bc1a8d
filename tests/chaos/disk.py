"""A disk for one Postgres alone, which can be made full."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from stack.postgres.files import run_as
from stack.postgres.server import _servers_in

_SIZE: Final = "1536m"
"""More than a run writes; memory is taken only for what is written."""
_ROOM_LEFT_BYTES: Final = 64 * 1024
"""When full: a few pages, so that it fills up in the midst of the work and not before it."""
_FILE_MAX_BYTES: Final = 64 * 1024


class Disk:
    """The folder of an embedded Postgres, on a file system of its own where this process may mount one.

    Full, such a file system fails as a disk does: no table grows (SQLSTATE 53100), and the server ends itself once its
    log cannot grow either. Where nothing may be mounted, the server's processes are forbidden long files in its place:
    their writes fail as well, under another name (SQLSTATE XX000).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._is_mounted = False

    @property
    def kind(self) -> str:
        """Which of the two it is, for people."""
        return "a file system of its own" if self._is_mounted else "a limit on the size of files"

    @contextlib.contextmanager
    def mounted(self) -> Iterator[None]:
        """The folder is there meanwhile, and may be filled; what it held is gone afterwards if it was mounted."""
        self._folder.mkdir(parents=True)
        options = ["-t", "tmpfs", "-o", f"size={_SIZE},mode=0711", "passage-chaos", str(self._folder)]
        self._is_mounted = _succeeds("mount", *options)
        try:
            yield
        finally:
            if self._is_mounted:
                subprocess.run(["umount", "--lazy", str(self._folder)], check=True)

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """There is no room left meanwhile."""
        self._fill()
        try:
            yield
        finally:
            self._make_room()

    def _fill(self) -> None:
        if self._is_mounted:
            found = os.statvfs(self._folder)
            self._resize(str((found.f_blocks - found.f_bfree) * found.f_frsize + _ROOM_LEFT_BYTES))
        else:
            self._limit_files(str(_FILE_MAX_BYTES))

    def _make_room(self) -> None:
        if self._is_mounted:
            self._resize(_SIZE)
        else:
            self._limit_files("unlimited")

    def _resize(self, size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self._folder)], check=True)

    def _limit_files(self, size: str) -> None:
        for process in _servers_in(self._folder / "data"):
            # As the server's own user: a process may limit those of its user and no others.
            command = ["prlimit", "--pid", str(process.pid), f"--fsize={size}:unlimited"]
            _succeeds(*command, **run_as().popen())  # one that has ended meanwhile needs no limit


def _succeeds(*command: str, **popen: object) -> bool:
    done = subprocess.run(command, capture_output=True, check=False, **popen)  # type: ignore[call-overload]  # the user's arguments come as a mapping
    return bool(done.returncode == 0)
