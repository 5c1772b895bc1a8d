"""The `passage` command: one module a command group, and one place that turns an error into an exit code."""

import os
import sys
import traceback
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import typer

from cli import erase, inbox, login, partners, programme
from cli.audit import app as audit
from cli.case import app as case
from cli.errors import FaultFoundError, UnusableError
from process.bootstrap import BootstrapFailed
from process.config import ConfigurationError
from stack.errors import StackError

DONE, FAULT, UNUSABLE, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    name="passage",
    help="A humanitarian entry programme, case by case.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
if find_spec("psutil"):  # of the `embedded` extra; a production image has neither it nor these commands
    from cli.stack.app import app as embedded

    app.add_typer(embedded)
app.command("login")(login.login)
app.command("erase")(erase.erase_case)
app.add_typer(case.app, name="case")
app.add_typer(audit.app, name="audit")
app.add_typer(programme.app, name="programme")
app.add_typer(inbox.app, name="inbox")
app.add_typer(partners.app, name="partners")


@app.callback()
def passage() -> None:
    """A humanitarian entry programme, case by case."""


def run() -> None:
    """Entry point. Ends the process at once after its output is out: a clean exit of Temporal's SDK may abort."""
    code = exit_code(lambda: app(standalone_mode=False))
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
