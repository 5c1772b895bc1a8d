"""Fixtures of every test folder: real servers, started at most once by each test process, and only when asked for."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

pytest_plugins = ["tests.support.postgres", "tests.support.temporal"]


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
