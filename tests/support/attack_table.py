"""A pytest plugin (`-p tests.support.attack_table`): ends with a table of the attacks and what each was called."""

from typing import Any

import pytest

_ROWS: dict[str, tuple[str, str]] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Take down each test once it has run; one without words of its own is an attack that was refused."""
    if report.when != "call":
        return
    said: dict[str, Any] = dict(report.user_properties)
    name = said.get("attack", report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " "))
    found = said.get("found", "refused, or as it must be")
    _ROWS[report.nodeid] = (str(name), str(found) if report.passed else "NOT FOUND")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    width = max((len(name) for name, _ in _ROWS.values()), default=0)
    terminalreporter.section("attacks")
    for _, (name, found) in sorted(_ROWS.items()):
        terminalreporter.write_line(f"{name:<{width}}  {found}")
