"""`passage up` as a user meets it: real servers, real programs, real signals."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import asyncpg
import httpx2
import psutil
import pytest
from temporalio.client import Client

from stack.ports import HOST
from tests.support.stack import RunningStack, run_passage, until

PROGRAMS = ["gateway", "relay", "sealer", "worker"]
SERVERS = ["postgres", "temporal"]


@pytest.fixture(scope="module")
def stack(shared_home: Path) -> Iterator[RunningStack]:
    """One for all tests that leave it up."""
    with RunningStack(shared_home) as running:
        yield running


def alive(pids: dict[str, int]) -> list[str]:
    return [name for name, pid in pids.items() if psutil.pid_exists(pid)]


def answers(url: str) -> bool:
    try:
        return httpx2.get(url, trust_env=False, timeout=5).is_success
    except httpx2.HTTPError:
        return False


def has_another_pid(stack: RunningStack, name: str, before: int) -> bool:
    return stack.pids.get(name, before) != before


async def test_what_the_stack_file_names_answers(stack: RunningStack) -> None:
    state = stack.state
    assert sorted(alive(stack.pids)) == sorted(SERVERS + PROGRAMS)
    assert answers(state["temporal_ui_url"])
    assert answers(f"{state['gateway_url']}/readyz")
    client = await Client.connect(state["temporal_address"])
    assert (await client.count_workflows("CaseStage = 'security_vetting' AND Flags IS NULL")).count == 0
    database = await asyncpg.connect(state["database_url"])
    assert await database.fetchval("SELECT count(*) FROM passage.schema_migration") > 0
    await database.close()
    assert (stack.data_dir / "stack.json").stat().st_mode & 0o077 == 0


def test_ctrl_c_stops_what_it_started_and_nothing_else(home: Path) -> None:
    with (
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as stranger,
        RunningStack(home) as stack,
    ):
        pids = stack.pids
        assert stack.stop(signal.SIGINT) == 0
        assert not alive(pids)
        assert not (stack.data_dir / "stack.json").exists()
        assert stranger.poll() is None
        stranger.kill()


def test_whatever_dies_comes_back(stack: RunningStack) -> None:
    for name in SERVERS + PROGRAMS:
        before = stack.pids[name]
        os.kill(before, signal.SIGKILL)
        until(partial(has_another_pid, stack, name, before), f"{name} to come back")
    until(lambda: sorted(alive(stack.pids)) == sorted(SERVERS + PROGRAMS), "all of them at once")
    until(lambda: answers(f"{stack.state['gateway_url']}/readyz"), "the gateway")
    until(lambda: answers(stack.state["temporal_ui_url"]), "Temporal")
    assert stack.process.poll() is None


def test_a_second_stack_on_the_same_directory_is_refused(stack: RunningStack) -> None:
    second = run_passage("up", cwd=stack.home)
    assert second.returncode == 2
    refusal = f"passage: a stack already runs in {stack.data_dir} (process {stack.process.pid}): stop it first\n"
    assert second.stderr == refusal
    assert sorted(alive(stack.pids)) == sorted(SERVERS + PROGRAMS)


@pytest.mark.parametrize("children", [True, False], ids=["whole-group", "orphans-live-on"])
async def test_after_a_kill_the_next_start_recovers(home: Path, children: bool) -> None:
    with RunningStack(home) as first:
        database = await asyncpg.connect(first.state["database_url"])
        await database.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('kept')")
        await database.close()
        pids = first.pids
        first.kill(children=children)
        with RunningStack(home) as second:
            assert not alive(pids)
            database = await asyncpg.connect(second.state["database_url"])
            assert await database.fetchval("SELECT word FROM kept") == "kept"
            await database.close()
            assert answers(f"{second.state['gateway_url']}/readyz")


def test_other_ports_are_taken_when_the_usual_ones_are(home: Path) -> None:
    with ExitStack() as held:
        for port in (7233, 8233, 8080):
            taken = socket.socket()
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.enter_context(closing(taken))
            try:
                taken.bind((HOST, port))
                taken.listen()
            except OSError:
                continue  # somebody else has it already, which serves as well
        state = held.enter_context(RunningStack(home)).state
        assert not state["temporal_address"].endswith(":7233")
        assert not state["temporal_ui_url"].endswith(":8233")
        assert not state["gateway_url"].endswith(":8080")


def test_a_server_that_the_environment_names_takes_the_place_of_the_embedded_one(home: Path) -> None:
    with RunningStack(home) as servers:
        given = {
            "PASSAGE_DATABASE_URL": servers.state["database_url"],
            "PASSAGE_KEYS_DIR": servers.state["keys_dir"],  # a log is signed by one key, its own
            "TEMPORAL_ADDRESS": servers.state["temporal_address"],
        }
        with RunningStack(home / "another", environment=given) as programs:
            assert sorted(programs.pids) == sorted(PROGRAMS)
            assert answers(f"{programs.state['gateway_url']}/readyz")


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"PASSAGE_DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/none"}, "the database does not answer: "),
        ({"TEMPORAL_ADDRESS": "127.0.0.1:1"}, "Temporal does not answer at 127.0.0.1:1: no connection"),
        ({"PASSAGE_DATA_DIR": "/proc/nowhere"}, "No such file or directory: /proc/nowhere"),
        ({"PASSAGE_LOG_LEVEL": "loud"}, "PASSAGE_LOG_LEVEL: Input should be 'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_a_start_that_fails_says_what_and_why_in_one_line(home: Path, environment: dict[str, str], why: str) -> None:
    failed = run_passage("up", cwd=home, environment=environment)
    assert failed.returncode == 2
    assert failed.stderr.splitlines()[-1].startswith(f"passage: {why}")
    assert "Traceback" not in failed.stderr
    assert "hunter2" not in failed.stderr
    assert "transport" not in failed.stderr
