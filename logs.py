"""Logs of every process: one line an event, JSON outside a terminal, ids bound, never personal data.

What libraries log through the standard library (Temporal's SDK, uvicorn, asyncpg) goes the same way, so that one line
looks like another. Exceptions are logged without local variables: their values may be personal (decision 8).
"""

import logging
import sys

import structlog
from structlog.typing import Processor

from config import Settings

_QUIET = {"uvicorn.access": logging.WARNING, "httpx2": logging.WARNING, "httpcore2": logging.WARNING}
"""Loggers that would print addresses with ids, or a line for every request."""


def configure_logs(settings: Settings, process: str) -> None:
    """Route structlog and the standard library to stderr. `process` (`worker`, `gateway`) is bound to each line."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_renderers(as_json=as_json))
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, least))
    structlog.contextvars.bind_contextvars(process=process)


def _renderers(*, as_json: bool) -> list[Processor]:
    strip = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if as_json:
        exceptions = structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
        )
        return [strip, exceptions, structlog.processors.JSONRenderer()]
    return [strip, structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
