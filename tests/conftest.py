"""Fixtures of every test folder: real servers, started at most once by each test process, and only when asked for."""

import logging
from collections.abc import Iterator

import pytest
import structlog

pytest_plugins = ["tests.support.postgres", "tests.support.temporal"]


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A command that a test runs in this process routes logs to a stream that ends with the test."""
    handlers, level, config = logging.root.handlers[:], logging.root.level, structlog.get_config()
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.configure(**config)
