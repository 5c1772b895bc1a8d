"""A whole stack whose programs reach each other through given ports: between them somebody may stand.

Its argument is a JSON object: the port under which each variable's address is to be reached. Where the servers really
are it writes to `upstreams.json` of its data directory.
"""

import asyncio
import json
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import stack.temporal
from cli.stack.foreground import in_foreground
from process.config import Settings, load_settings
from process.logs import configure_logs
from stack.embedded import EmbeddedStack
from stack.state import StackState

UPSTREAMS: Final = "upstreams.json"


class LinkedStack(EmbeddedStack):
    """`links`: variable of a program's environment that holds an address, and the port to be put in its place."""

    def __init__(self, settings: Settings, links: Mapping[str, int]) -> None:
        super().__init__(settings, simulators=True)
        self._links = links
        self._upstreams: dict[str, int] = {}
        self._writing = threading.Lock()

    def _environment_with(self, database_url: str | None, **changes: object) -> Mapping[str, str]:
        environment = dict(super()._environment_with(database_url, **changes))
        for variable, link in self._links.items():
            before, _, after = environment[variable].rpartition(":")
            port, slash, path = after.partition("/")
            self._upstreams[variable] = int(port)
            environment[variable] = f"{before}:{link}{slash}{path}"
        self._write_down()
        return environment

    def _write_down(self) -> None:
        with self._writing:  # programs are made ready side by side, each in a thread
            fresh = self._data_dir / f"{UPSTREAMS}.new"
            fresh.write_text(json.dumps(self._upstreams))
            fresh.replace(self._data_dir / UPSTREAMS)


async def _stay(_: StackState) -> None:
    await asyncio.Event().wait()


def upstream_port(data_dir: Path, variable: str) -> int | None:
    """The port of the server behind a variable's address, once it is known."""
    try:
        found: dict[str, int] = json.loads((data_dir / UPSTREAMS).read_text())
    except FileNotFoundError:
        return None
    return found.get(variable)


def main() -> None:
    # Any free port: a usual one could be taken by another test's stack while this one's server is down.
    stack.temporal.USUAL_PORT = stack.temporal.USUAL_UI_PORT = 0
    settings = load_settings(from_running_stack=False)
    configure_logs(settings, "stack")
    links: dict[str, int] = json.loads(sys.argv[1])
    asyncio.run(in_foreground(LinkedStack(settings, links), _stay))


if __name__ == "__main__":
    main()
