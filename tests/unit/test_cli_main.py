import subprocess
import sys
from pathlib import Path

import pytest
import typer

from cli.errors import FaultFoundError, UnusableError
from cli.main import DONE, FAULT, INTERRUPTED, UNUSABLE, exit_code
from process.config import ConfigurationError
from stack.errors import StackError


def raising(error: BaseException) -> object:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (
            FaultFoundError("the log does not verify: link-broken at 7"),
            FAULT,
            "the log does not verify: link-broken at 7",
        ),
        (UnusableError("Temporal does not answer"), UNUSABLE, "Temporal does not answer"),
        (ConfigurationError("no database"), UNUSABLE, "no database"),
        (StackError("a stack\nalready runs"), UNUSABLE, "a stack already runs"),
        (typer.BadParameter("no such file"), UNUSABLE, "Invalid value: no such file (see passage --help)"),
        (ConnectionRefusedError(111, "Connection refused"), UNUSABLE, "Connection refused"),
        (
            FileNotFoundError(2, "No such file or directory", "rules.toml"),
            UNUSABLE,
            "No such file or directory: rules.toml",
        ),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], error: Exception, code: int, line: str
) -> None:
    assert exit_code(lambda: raising(error)) == code
    assert capsys.readouterr().err == f"passage: {line}\n"


def test_a_fault_of_our_own_tells_the_place_and_not_the_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: raising(KeyError("Marisol Canario"))) == UNUSABLE
    told = capsys.readouterr().err
    assert told.startswith("passage: unexpected KeyError at test_cli_main.py:")
    assert "Canario" not in told


def test_an_interrupt_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: raising(KeyboardInterrupt())) == INTERRUPTED
    assert exit_code(lambda: None) == DONE
    assert not capsys.readouterr().err


def test_the_installed_command_exits_with_the_code_and_one_line(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("passage")
    done = subprocess.run([program, "up", "--speed", "9"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == UNUSABLE
    assert done.stderr == "passage: No such option: --speed (see passage --help)\n"
