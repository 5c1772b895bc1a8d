"""Fixtures of every test folder: real servers, started at most once by each test process, and only when asked for."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import structlog

pytest_plugins = ["tests.support.postgres", "tests.support.temporal"]

_MEMORY = Path("/dev/shm")  # noqa: S108  where Linux keeps files in memory
_ROOM_BYTES = 6 * 2**30
"""Ample by estimate: the peak of two processes with a stack each was not measured."""


def pytest_configure() -> None:
    """Work in memory where there is room, unless TMPDIR says where.

    To make and remove a database, three hundred small files, costs a disk ten times as much. No test cuts the power, so
    none needs the disk.
    """
    if "TMPDIR" not in os.environ and _memory_will_do():
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None  # asked for anew


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, most of which is waiting: what is left when one process takes from another is short."""
    items.sort(key=lambda item: item.path.parent.name != "faults")


def _memory_will_do() -> bool:
    if not _MEMORY.is_dir() or os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:  # a test runs programs that it built there
        return False
    return min(shutil.disk_usage(_MEMORY).free, psutil.virtual_memory().available) > _ROOM_BYTES


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for servers, whose name holds a space."""
    # pytest's own will not do: it closes them to other users whenever another run starts, and root's Postgres is one.
    with tempfile.TemporaryDirectory(prefix="passage home ", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def home() -> Iterator[Path]:
    """Where a test starts servers of its own."""
    with _folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    """Where the tests of a module have a server together."""
    with _folder() as folder:
        yield folder


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A command that a test runs in this process logs to a stream that ends with the test: no logger keeps it."""
    handlers, level, config = logging.root.handlers[:], logging.root.level, structlog.get_config()
    configure = structlog.configure

    def uncached(**settings: Any) -> None:
        configure(**{**settings, "cache_logger_on_first_use": False})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", uncached)
        yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    configure(**config)
    structlog.contextvars.clear_contextvars()
