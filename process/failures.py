"""What is told of an exception: its code, its kind and its place, never its words, for they may hold personal data."""

import traceback
from typing import Any

import structlog

from activities.failures import FAILURES, code_of

_log = structlog.get_logger()

_FRAMES_MAX = 8


def tell(event: str, error: Exception, **more: Any) -> None:
    """Log `error` under `event`; as an error where it must wake somebody."""
    code = code_of(error)
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_MAX:]
    log = _log.error if FAILURES[code].alarm else _log.warning
    log(
        event,
        code=code,
        alarm=FAILURES[code].alarm,
        exception=type(error).__name__,
        where=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        **more,
    )
