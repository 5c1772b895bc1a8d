import errno
import io
import json
import logging
import sys
from typing import Any

import pytest
import structlog

from process.config import Settings
from process.logs import configure_logs

CANARY = "Marisol Canario"


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """The log of this test, as JSON."""
    captured = io.StringIO()
    monkeypatch.setattr(sys, "stderr", captured)
    configure_logs(Settings(), "worker")
    return captured


def lines(stderr: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr.getvalue().splitlines()]


def test_outside_a_terminal_a_line_is_json_with_what_was_bound(stderr: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(case="VEN-7Q4K-M2XD"):
        structlog.stdlib.get_logger("cases").info("advanced", version=3)
    (line,) = lines(stderr)
    assert line.pop("timestamp")
    assert line == {
        "event": "advanced",
        "case": "VEN-7Q4K-M2XD",
        "version": 3,
        "process": "worker",
        "logger": "cases",
        "level": "info",
    }


def test_a_library_s_line_looks_like_ours(stderr: io.StringIO) -> None:
    logging.getLogger("temporalio.worker").warning("slow poll of %s", "cases")
    (line,) = lines(stderr)
    assert (line["event"], line["logger"], line["level"]) == ("slow poll of cases", "temporalio.worker", "warning")


class Full(io.StringIO):
    """A file on a disk without room."""

    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_line_that_cannot_be_written_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Full())
    configure_logs(Settings(), "worker")
    logger = structlog.get_logger("cases")
    for say in (logger.info, logger.warning, logger.error):
        say("advanced")


def test_an_exception_shows_kind_code_and_place_but_no_value(stderr: io.StringIO) -> None:
    try:
        try:
            raise ValueError(f"bad name {CANARY}")
        except ValueError as cause:
            raise OSError(28, f"no space for {CANARY}") from cause
    except OSError:
        structlog.stdlib.get_logger("cases").exception("append failed")
        logging.getLogger("asyncpg").exception("lost")
    assert CANARY not in stderr.getvalue()
    for line in lines(stderr):
        outer, inner = line["exception"]
        assert (outer["kind"], outer["code"], inner["kind"]) == ("OSError", "28", "ValueError")
        assert outer["at"][0].startswith("test_logs.py:")
