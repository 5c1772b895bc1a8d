"""The supervisor with small programs of its own: order, readiness, restarts, giving up, and orphans."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from process.config import child_environment
from stack.errors import StackBusyError, StackError
from stack.ports import HOST, choose_port
from stack.services import Launch
from stack.state import ProcessRecord, lock, read_processes, write_processes
from stack.supervisor import RestartPolicy, Supervisor

LISTENS = """
import signal, socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
signal.signal(signal.SIGTERM, lambda *_: (open(sys.argv[2], "a").write(sys.argv[3] + " "), sys.exit(0)))
time.sleep(600)
"""
SLEEPS = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)
DIES = "import sys; print('the disk is full'); sys.exit(3)"


@dataclass
class Program:
    """A service made of a line of Python."""

    name: str
    code: str
    arguments: Callable[[], tuple[str, ...]] = tuple
    ports: Callable[[], tuple[int, ...]] = tuple
    stage: int = 1
    stop_signal: signal.Signals = signal.SIGTERM
    start_timeout_s: float = 20
    stop_timeout_s: float = 10

    def prepare(self) -> Launch:
        argv = (sys.executable, "-c", self.code, *self.arguments())
        return Launch(argv, child_environment({}), self.ports())

    async def ready(self) -> bool:
        return True


def listener(name: str, stage: int, ended: Path) -> Program:
    port = choose_port(0)
    return Program(name, LISTENS, lambda: (str(port), str(ended), name), lambda: (port,), stage)


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited 20 s in vain"
        await asyncio.sleep(0.02)


async def test_starts_when_the_child_itself_listens_and_stops_in_falling_stages(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    plan = [listener("database", 0, ended), listener("server", 1, ended), listener("program", 2, ended)]
    supervisor = Supervisor(tmp_path, plan)
    await supervisor.start()
    pids = dict(supervisor.pids)
    assert list(pids) == ["database", "server", "program"]
    await supervisor.stop()
    assert ended.read_text() == "program server database "
    assert not [pid for pid in pids.values() if psutil.pid_exists(pid)]


async def test_a_stranger_on_the_port_is_not_readiness(tmp_path: Path) -> None:
    port = choose_port(0)
    with subprocess.Popen([sys.executable, "-c", LISTENS, str(port), str(tmp_path / "ended"), "stranger"]) as stranger:
        await until(lambda: choose_port(port) != port)
        supervisor = Supervisor(tmp_path, [Program("server", SLEEPS, ports=lambda: (port,), start_timeout_s=1)])
        with pytest.raises(StackError, match=r"server did not answer within 1 s"):
            await supervisor.start()
        await supervisor.stop()
        assert stranger.poll() is None
        stranger.terminate()


async def test_a_killed_child_is_restarted_and_told(tmp_path: Path) -> None:
    told = asyncio.Event()
    supervisor = Supervisor(tmp_path, [Program("program", SLEEPS)], changed=told.set)
    await supervisor.start()
    first = supervisor.pids["program"]
    psutil.Process(first).kill()
    await asyncio.wait_for(told.wait(), 20)
    assert supervisor.pids["program"] != first
    assert [record.pid for record in read_processes(tmp_path)] == [supervisor.pids["program"]]
    await supervisor.stop()


async def test_what_keeps_dying_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    calm = tmp_path / "calm"
    calm.touch()
    code = f"import os, time\nif os.path.exists({str(calm)!r}): time.sleep(600)\n" + DIES
    policy = RestartPolicy(crashes=3, first_wait_s=0.01)
    supervisor = Supervisor(tmp_path, [Program("program", code)], policy=policy)
    await supervisor.start()
    calm.unlink()
    psutil.Process(supervisor.pids["program"]).kill()
    why = await asyncio.wait_for(supervisor.failure(), 20)
    assert why.startswith("program ended 3 times in 120 s: the disk is full (more in ")
    await supervisor.stop()


async def test_what_cannot_start_says_why(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, [Program("program", DIES, ports=lambda: (1,))])
    with pytest.raises(StackError, match=r"^program does not start: the disk is full \(more in .*program.log\)$"):
        await supervisor.start()
    await supervisor.stop()


async def test_what_does_not_end_is_killed_within_its_time(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, [Program("program", STUBBORN, stop_timeout_s=0.2)])
    await supervisor.start()
    pid = supervisor.pids["program"]
    await until(lambda: "deaf" in (tmp_path / "logs" / "program.log").read_text())
    began = time.monotonic()
    await supervisor.stop()
    assert time.monotonic() - began < 5
    assert not psutil.pid_exists(pid)


async def test_orphans_of_a_killed_run_are_ended_and_strangers_are_not(tmp_path: Path) -> None:
    argv = (sys.executable, "-c", SLEEPS)
    with subprocess.Popen(argv) as orphan, subprocess.Popen(argv) as stranger:
        try:
            ours = ProcessRecord.of("program", orphan.pid, argv, signal.SIGTERM)
            reused_pid = ProcessRecord.of("program", stranger.pid, argv, signal.SIGTERM)
            write_processes(tmp_path, (ours, reused_pid.model_copy(update={"started": reused_pid.started - 60})))
            supervisor = Supervisor(tmp_path, [])
            await supervisor.start()
            assert orphan.wait(10) == -signal.SIGTERM
            assert stranger.poll() is None
        finally:
            orphan.kill()
            stranger.kill()


def test_two_stacks_never_share_a_data_directory(tmp_path: Path) -> None:
    with lock(tmp_path), pytest.raises(StackBusyError, match=rf"already runs in .* \(process {psutil.Process().pid}\)"):
        lock(tmp_path)
    lock(tmp_path).close()


def test_a_taken_port_is_passed_over() -> None:
    usual = choose_port(0)
    assert choose_port(usual) == usual
    with socket.create_server((HOST, usual)):
        assert choose_port(usual) != usual


CHATTERS = "import time\nwhile True: print('x' * 9_999, flush=True); time.sleep(0.0001)"


async def test_a_log_is_bounded_also_under_a_child_that_never_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stack.leftovers._LOG_KEEP_BYTES", 100_000)
    supervisor = Supervisor(tmp_path, [Program("program", CHATTERS)])
    log = tmp_path / "logs" / "program.log"
    try:
        await supervisor.start()
        await until(log.with_suffix(".log.1").exists)
        await until(lambda: 0 < log.stat().st_size < 100_000)
    finally:
        await supervisor.stop()
    assert log.read_bytes().count(b"\0") == 0
    assert log.with_suffix(".log.1").stat().st_size > 100_000
