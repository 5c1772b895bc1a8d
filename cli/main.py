"""The `passage` command: one module a command or group, and one place that turns an error into an exit code."""

import os
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import typer

from cli.errors import FaultFoundError, UnusableError
from process.bootstrap import BootstrapFailed
from process.config import ConfigurationError
from stack.errors import StackError

DONE, FAULT, UNUSABLE, INTERRUPTED = 0, 1, 2, 130

_EMBEDDED: Final = {
    "demo": "cli.stack.demo:demo",
    "up": "cli.stack.up:up",
    "token": "cli.stack.token:token",
    "simulate": "cli.stack.simulate:simulate",
    "bench": "cli.stack.bench:bench",
}
"""They start servers of their own, or are for those: they need the `embedded` extra, which a production image lacks."""
_COMMANDS: Final = {
    **(_EMBEDDED if find_spec("psutil") else {}),
    "login": "cli.login:login",
    "erase": "cli.erase:erase_case",
    "case": "cli.case.app:app",
    "audit": "cli.audit.app:app",
    "programme": "cli.programme:app",
    "inbox": "cli.inbox:app",
    "partners": "cli.partners:app",
}
"""Where each command or group is. All of them together take seconds to import."""


def application(first: str | None = None) -> typer.Typer:
    """The command line; if `first` is one of its commands, with that one alone, so that no other is imported."""
    app = typer.Typer(
        name="passage",
        help="A humanitarian entry programme, case by case.",
        callback=_passage,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    wanted = {first: _COMMANDS[first]} if first in _COMMANDS else _COMMANDS
    for name, place in wanted.items():
        module, _, attribute = place.partition(":")
        found: Any = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def _passage() -> None:
    """A humanitarian entry programme, case by case."""


def run() -> None:
    """Entry point. Ends the process at once after its output is out: a clean exit of Temporal's SDK may abort."""
    code = exit_code(lambda: application(*sys.argv[1:2])(standalone_mode=False))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def exit_code(command: Callable[[], object]) -> int:
    """Run `command`; 0 done, 1 found a fault, 2 wrong usage or unreachable service, with one line on stderr."""
    try:
        result = command()
    except FaultFoundError as error:
        return _fail(str(error), FAULT)
    except (UnusableError, ConfigurationError, BootstrapFailed, StackError) as error:
        return _fail(str(error), UNUSABLE)
    except typer.TyperException as error:
        return _fail(f"{error.format_message()} (see passage --help)", UNUSABLE)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        return _fail(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", UNUSABLE)
    except Exception as error:  # noqa: BLE001  the last line of defence: a fault of our own is one line too
        return _fail(_own_fault(error), UNUSABLE)
    return result if isinstance(result, int) else DONE


def _fail(line: str, code: int) -> int:
    typer.echo(f"passage: {' '.join(line.split())}", err=True)
    return code


def _own_fault(error: Exception) -> str:
    """Where it happened and what kind it was; its message stays out, for it may quote a person's data."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"unexpected {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
