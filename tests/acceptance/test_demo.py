"""`passage demo` as a person starts it: every case ends as told, and an operator's commands work beside it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from domain.humanitarian_parole.definition import FAMILY
from simulation.demonstration.repeat import cases_for_every_outcome
from tests.support.stack import bare_environment

PASSAGE = Path(sys.executable).with_name("passage")
WAIT_S = 90.0
SECRETS = ("Rojas Pérez", "Whitfield", "150000001", "Main St", "900-00-0001")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_cases_of_every_outcome_end_as_told_and_the_command_ends_by_itself(home: Path) -> None:
    arguments = ("demo", "--cases", str(cases_for_every_outcome()), "--speed", "20", "--exit")
    done = subprocess.run(
        (PASSAGE, *arguments), cwd=home, env=bare_environment({}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    ended = done.stdout.partition("What became of each case")[2]
    assert f"{cases_for_every_outcome()} of {cases_for_every_outcome()} cases ended as told." in ended
    assert [outcome for outcome in FAMILY.outcomes if outcome not in ended] == []
    assert "First case authorized" in ended
    assert "/namespaces/default/workflows?query=" in done.stdout
    assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]
    assert not (home / ".passage" / "stack.json").exists()


class Running:
    """A demonstration that runs, and commands beside it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.stack_file = directory / ".passage" / "stack.json"

    def passage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the same directory, as in a second terminal."""
        return subprocess.run(
            (PASSAGE, *arguments),
            cwd=self._directory,
            env=bare_environment({}),
            capture_output=True,
            text=True,
            check=False,
        )

    def listed(self, *arguments: str) -> list[dict[str, Any]]:
        """What a listing prints as JSON."""
        done = self.passage(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    async def temporal(self) -> Client:
        return await Client.connect(json.loads(self.stack_file.read_text())["temporal_address"])


@pytest.fixture(scope="module")
def running(shared_home: Path) -> Iterator[Running]:
    """One for all that only look at it or mend what they broke: it plays more slowly than they do."""
    arguments = ("demo", "--cases", "2", "--speed", "0.5")
    process = subprocess.Popen(
        (PASSAGE, *arguments),
        cwd=shared_home,
        env=bare_environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    demo = Running(shared_home)
    try:
        until = time.monotonic() + WAIT_S
        while not demo.stack_file.exists() or len(demo.listed("case", "list")) < 2:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.2)
        yield demo
    finally:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output.decode()[-2000:]


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_an_operator_finds_a_case_and_mends_it_when_its_workflow_is_gone(running: Running) -> None:
    case_id = running.listed("case", "list", "--open")[0]["case_id"]
    [shown] = running.listed("case", "show", case_id)
    assert (shown["workflow"], shown["outcome"]) == ("running", None)
    assert f"/workflows/{case_id}/" in shown["link"]
    temporal = await running.temporal()
    await temporal.get_workflow_handle(case_id).terminate()
    assert running.passage("case", "restart", case_id).returncode == 0
    [mended] = running.listed("case", "show", case_id)
    assert (mended["workflow"], mended["filed_at"]) == ("running", shown["filed_at"])
    assert "has a running workflow already" in running.passage("case", "restart", case_id).stdout
    assert "goes on from the log" in running.passage("case", "restart", case_id, "--replace").stdout
    assert next(event["type"] for event in running.listed("case", "history", case_id)) == "ApplicationFiled"


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_governments_suspend_from_a_second_terminal(running: Running) -> None:
    assert running.passage("programme", "suspend").returncode == 0
    again = running.passage("programme", "suspend")
    assert (again.returncode, again.stderr) == (
        1,
        "passage: venezuela-air refuses (already-suspended): it is suspended already\n",
    )
    assert running.listed("programme", "show")[0]["status"] == "suspended"
    assert running.listed("programme", "resume")[0]["status"] == "open"


def test_without_a_stack_a_command_says_so_in_one_line(tmp_path: Path) -> None:
    done = Running(tmp_path).passage("case", "list")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "passage: no database: set PASSAGE_DATABASE_URL, or start the embedded stack with `passage up`\n"
    )
