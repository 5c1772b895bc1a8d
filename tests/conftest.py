"""Fixtures of every test folder: real servers, started at most once by each test process, and only when asked for."""

pytest_plugins = ["tests.support.postgres", "tests.support.temporal"]
