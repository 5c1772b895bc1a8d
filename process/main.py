"""How every program runs: until it is asked to stop, or with one line on stderr if it cannot start."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final, NoReturn

import asyncpg

from eventstore.conflicts import StoreUnavailable
from process.config import ConfigurationError, Settings, load_settings
from process.logs import configure_logs

Serve = Callable[[Settings], Coroutine[Any, Any, None]]

Load = Callable[[], Settings]

DONE: Final = 0
UNUSABLE: Final = 2
"""A setting is wrong, or a server cannot be reached or refuses."""


def run(program: str, serve: Serve, *refusals: type[Exception], load: Load = load_settings) -> NoReturn:
    """Run `serve` to its end and end the process with its exit code: 0 when it returned, 2 when it could not work.

    `refusals` are the errors, beside a wrong setting and an unreachable database, whose one line explains the 2.
    The process ends at once after its output is written: one clean exit of Temporal's SDK in sixteen aborts instead.
    """
    status = _status(program, serve, (ConfigurationError, *refusals), load)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _status(program: str, serve: Serve, refusals: tuple[type[Exception], ...], load: Load) -> int:
    try:
        settings = load()
        configure_logs(settings, program)
        asyncio.run(serve(settings))
    except refusals as error:
        return _unusable(str(error))
    except StoreUnavailable as error:  # the text is the error's class: the driver's own may hold the address and login
        return _unusable(f"the database cannot be reached ({error})")
    except asyncpg.PostgresError as error:  # its own text may quote a row
        return _unusable(f"the database refuses ({type(error).__name__})")
    return DONE


def _unusable(line: str) -> int:
    print(line, file=sys.stderr)  # noqa: T201  the one line of a start that fails
    return UNUSABLE


def stop_requested() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set, instead of ending the process."""
    stopped = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stopped.set)
    return stopped
