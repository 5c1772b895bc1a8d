"""`passage simulate` killed with `kill -9`: the next run ends the servers that it left, and no others."""

import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from simulation.skipped.run_folder import run_folder
from stack.state import read_processes

PASSAGE = Path(sysconfig.get_path("scripts")) / "passage"
SCENARIO = Path(__file__).parents[1] / "scenarios" / "two-officers.yaml"
SERVERS = {"postgres", "temporal-test-server"}
PATIENCE_S = 60


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs of other tests keep their servers elsewhere, so none of them is looked for here."""
    with tempfile.TemporaryDirectory(prefix="killed ", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield


def started_by(run: "subprocess.Popen[bytes]") -> dict[str, psutil.Process]:
    """The servers of a run by name, once it has one of each and has noted the one that it keeps a note of."""
    ends_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_at:
        found = {name_of(process): process for process in psutil.Process(run.pid).children()}
        if found.keys() >= SERVERS and found["temporal-test-server"].pid in noted():
            return {name: found[name] for name in SERVERS}
        time.sleep(0.02)
    raise AssertionError("the run started no servers")


def noted() -> set[int]:
    folders = Path(tempfile.gettempdir()).glob("passage-simulate-*")
    return {record.pid for folder in folders for record in read_processes(folder)}


def name_of(process: psutil.Process) -> str:
    try:
        return Path(process.cmdline()[0]).name
    except (psutil.NoSuchProcess, IndexError):
        return ""


def run() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        (PASSAGE, "simulate", SCENARIO), env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@pytest.mark.slow  # a whole run has to start before it can be killed
def test_the_next_run_ends_what_a_killed_one_left_and_leaves_a_living_one_alone() -> None:
    argv = (sys.executable, "-c", "import time; time.sleep(600)")
    with run_folder() as living, subprocess.Popen(argv) as other:
        living.note(other, argv)
        killed = run()
        try:
            left = started_by(killed)
            killed.kill()
            killed.wait()
            assert all(process.is_running() for process in left.values())
            with run_folder() as following:
                assert set(Path(tempfile.gettempdir()).glob("passage-simulate-*")) == {living.path, following.path}
            _, alive = psutil.wait_procs(left.values(), timeout=10)
            assert alive == []
            assert other.poll() is None
        finally:
            killed.kill()
            other.kill()
