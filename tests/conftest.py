"""Fixtures of every test folder: real servers, started at most once by each test process, and only when asked for."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

pytest_plugins = ["tests.support.postgres", "tests.support.temporal"]


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
