"""Logs of every process: one line an event, JSON outside a terminal, ids bound, never personal data.

Our own lines go straight to stderr: through the standard library, one line for each request would be a tenth of the
gateway's work. Lines of libraries (Temporal's SDK, uvicorn, asyncpg) get the same form. Of an exception only classes,
codes and places are logged, never its text or a variable, which may quote a person's data (decision 8).
"""

import contextlib
import logging
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from process.config import Settings

_QUIET = {"uvicorn.access": logging.WARNING, "httpx2": logging.WARNING, "httpcore2": logging.WARNING}
"""Loggers that would print addresses with ids, or a line for every request."""

_CAUSES_MAX = 5
_FRAMES_MAX = 20


def configure_logs(settings: Settings, process: str) -> None:
    """Route structlog and the standard library to stderr. `process` (`worker`, `gateway`) is bound to each line."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _exceptions,
    ]
    rendered: Processor = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*shared, rendered],
        logger_factory=partial(_lines, sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatted = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, rendered])
    handler.setFormatter(formatted)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, least))
    structlog.contextvars.bind_contextvars(process=process)


class _Lines(structlog.WriteLogger):
    """Writes lines for the module `name`. If the disk is full a line is lost, and the work goes on."""

    def __init__(self, stream: TextIO, name: str) -> None:
        super().__init__(stream)
        self.name = name

    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError):
            super().msg(message)

    debug = info = warning = error = critical = msg


_NAMES = structlog.stdlib.LoggerFactory(ignore_frame_names=[__name__])


def _lines(stream: TextIO, *given: Any) -> _Lines:
    """The logger of a module; `given` is its name if it is not the module's own."""
    return _Lines(stream, _NAMES(*given).name)


def _exceptions(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """In place of `exc_info`: the exception and what caused it, outermost first."""
    given = line.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else sys.exc_info()[1] if given is True else given
    found: list[dict[str, object]] = []
    while isinstance(error, BaseException) and len(found) < _CAUSES_MAX:
        found.append(_described(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if found:
        line["exception"] = found
    return line


def _described(error: BaseException) -> dict[str, object]:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_MAX:]
    code = getattr(error, "code", None) or getattr(error, "sqlstate", None) or getattr(error, "errno", None)
    return {
        "kind": type(error).__qualname__,
        **({"code": str(code)} if code is not None else {}),
        "at": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }
