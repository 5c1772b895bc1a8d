"""The simulated partners as a process of their own, and a gateway for them to answer to."""

import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI, Request
from fastapi.responses import Response

from activities.partners.clients import open_partner_clients
from activities.partners.requests import Accepted
from domain import registry
from domain.kernel.ids import Code
from domain.kernel.messages import PartnerCheck
from tests.support.partner_calls import CASE_ID, a_check, free_port, partner_of

REPOSITORY = Path(__file__).parents[2]
PARTNERS: tuple[Code, ...] = registry.partners()
FACTOR = 86_400.0
"""A day a second."""
DOMAIN_EPOCH = datetime(2022, 10, 20, tzinfo=UTC)


class Gateway:
    """A gateway that notes what it is told, and can be unwell."""

    def __init__(self) -> None:
        self.received: list[tuple[float, str, str, dict[str, Any]]] = []
        self.statuses: list[int] = []
        """What it says to the next messages, 202 after that."""
        self.attempts = 0
        self._arrived = asyncio.Event()

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/v1/partners/{partner}/messages")
        async def take(partner: str, request: Request) -> Response:
            self.attempts += 1
            status = self.statuses.pop(0) if self.statuses else 202
            if status == 202:
                at = asyncio.get_running_loop().time()
                self.received.append((at, partner, request.headers["webhook-id"], await request.json()))
                self._arrived.set()
            return Response(status_code=status)

        return app

    async def arrived(self, count: int) -> list[tuple[float, str, str, dict[str, Any]]]:
        """The first `count` messages, as soon as they are here."""
        async with asyncio.timeout(15):
            while len(self.received) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.received[:count]


class Simulators:
    """The process, started and stopped at will over the same data directory."""

    def __init__(self, data_dir: Path, gateway_url: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = data_dir.parent / "simulators.log"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PASSAGE_")},
            "PASSAGE_DATA_DIR": str(data_dir),
            "PASSAGE_GATEWAY_URL": gateway_url,
            "PASSAGE_SIMULATORS_PORT": str(self.port),
            "PASSAGE_CLOCK_FACTOR": str(FACTOR),
            "PASSAGE_CLOCK_DOMAIN_EPOCH": DOMAIN_EPOCH.isoformat(),
            "PASSAGE_CLOCK_SERVER_EPOCH": datetime.now(UTC).isoformat(),
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "simulators", cwd=REPOSITORY, env=self._environment, stdout=log, stderr=log
            )
        async with asyncio.timeout(20), httpx2.AsyncClient(trust_env=False) as http:
            while True:
                try:
                    await http.get(f"{self.url}/healthz")
                except httpx2.TransportError:
                    await asyncio.sleep(0.02)
                else:
                    return

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(how)
        return await self._process.wait()

    async def put(self, path: str, body: Any) -> int:
        async with httpx2.AsyncClient(trust_env=False) as http:
            return (await http.put(f"{self.url}{path}", content=json.dumps(body))).status_code

    async def tell(self, partner: Code = "vetting", case_id: str = CASE_ID, **behaviour: Any) -> None:
        told = {"answer": "vetting.cleared"} | behaviour
        assert await self.put(f"/scripts/{case_id}", {partner: told}) == 204

    async def call(self, check: PartnerCheck | None = None, timeout_s: float = 5.0) -> Accepted:
        check = check or a_check()
        urls: dict[Code, str] = {partner: f"{self.url}/{partner}" for partner in PARTNERS}
        async with open_partner_clients(urls, "http://gateway.example", timeout_s=timeout_s) as clients:
            return await clients.call(partner_of(check), check)

    def log(self) -> str:
        return self._log.read_text()
