"""`passage bench gateway`: signed messages/s taken by the gateway against a bare FastAPI route with one INSERT.

Both are processes of their own over the same server, fsync on, asked in turn by the same client. The gateway verifies,
validates, encrypts, numbers, and counts the sender's pace. Then the inbox is drained into a Temporal (`drain.py`).
"""

import asyncio
import itertools
import json
import sys
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg
import httpx2

from bench.gateway.client import Make, load
from bench.gateway.drain import measure_drain
from bench.ratio import Ratio
from cases.inbound.webhooks import Signer, new_shared_key, sign
from eventstore.keys import DirectoryKeyStore
from eventstore.postgres.migrate import migrate
from eventstore.postgres.store import PostgresStore
from gateway.http.examples import FILING, MESSAGES
from process.config import child_environment
from stack.ports import HOST, choose_port
from stack.postgres.server import EmbeddedPostgres
from stack.token_issuer import ISSUER, IssuerFiles, ensure_issuer, issue_token

AT_LEAST: Final = 0.6
CASES: Final = 1024
"""Messages of one case are taken one after the other; a programme has thousands of cases."""
FILED_AT_ONCE: Final = 16
WARM_UP_S: Final = 1.0
START_TIMEOUT_S: Final = 30.0
_PARTNER: Final = "border"
_MESSAGE: Final = MESSAGES["border.irregular_crossing"]


@dataclass(frozen=True, slots=True)
class GatewayRates:
    """The rate, and how long the slowest of a hundred had to wait."""

    rate: Ratio
    p99_ms: tuple[float, float]
    """Of the gateway and of the bare route: medians over the pairs."""
    drain: Ratio
    """Signals a second of the relay, and of a bare client of the same Temporal."""

    @property
    def is_met(self) -> bool:
        """Whether both budgets hold."""
        return self.rate.is_met and self.drain.is_met

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        p99_ms = [round(each, 1) for each in self.p99_ms]
        return {**self.rate.as_dict(), "p99_ms": p99_ms, "met": self.is_met, "drain": self.drain.as_dict()}


async def measure(pairs: int = 5, seconds: float = 3.0) -> GatewayRates:
    """Run the pairs; about `2 * pairs * seconds` long."""
    key = new_shared_key()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="passage-bench-")))
        server = await stack.enter_async_context(EmbeddedPostgres(folder / "postgres"))
        url = await server.ensure_database("passage")
        await migrate(url)
        (folder / "partners.json").write_text(json.dumps({_PARTNER: [key]}))
        (folder / "partners.json").chmod(0o600)
        issuer = ensure_issuer(folder / "token-issuer")
        ours = await stack.enter_async_context(_served("gateway", folder, url))
        theirs = await stack.enter_async_context(_served("bench.gateway.bare_route", folder, url))
        cases = await _file_cases(ours, _intake_token(issuer))
        rate, p99_ms = await _alternate(ours, theirs, _maker(cases, Signer.parse(key)), pairs, seconds)
        inbox = (await stack.enter_async_context(_store(url, folder))).inbox
        database = await stack.enter_async_context(asyncpg.create_pool(url, min_size=1, max_size=1))
        return GatewayRates(rate, p99_ms, await measure_drain(inbox, database, cases, folder, pairs))


async def _alternate(
    ours: int, theirs: int, make: Make, pairs: int, seconds: float
) -> tuple[Ratio, tuple[float, float]]:
    numbers = itertools.count(1)
    for port in (ours, theirs):
        await load(port, make, numbers, WARM_UP_S)
    found = [
        (await load(ours, make, numbers, seconds), await load(theirs, make, numbers, seconds)) for _ in range(pairs)
    ]
    rates = tuple((mine.rate, floor.rate) for mine, floor in found)
    p99_ms = (median(mine.p99_ms for mine, _ in found), median(floor.p99_ms for _, floor in found))
    return Ratio("gateway", "messages/s", rates, AT_LEAST), p99_ms


@asynccontextmanager
async def _store(database_url: str, folder: Path) -> AsyncIterator[PostgresStore]:
    store = await PostgresStore.connect(database_url, DirectoryKeyStore(folder / "keys"), connections=2)
    try:
        yield store
    finally:
        await store.close()


def _maker(cases: list[str], key: Signer) -> Make:
    bodies = [json.dumps({**_MESSAGE, "case": case}).encode() for case in cases]

    def make(number: int) -> bytes:
        body = bodies[number % len(bodies)]
        headers = {
            "Host": HOST,
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **sign([key], f"m-{number}", datetime.now(UTC), body),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST /v1/partners/{_PARTNER}/messages HTTP/1.1\r\n{lines}\r\n".encode() + body

    return make


def _intake_token(issuer: IssuerFiles) -> str:
    at = datetime.now(UTC)
    return issue_token(issuer.signing_key, subject="bench", roles=["intake"], audience="passage", at=at)


async def _file_cases(port: int, token: str) -> list[str]:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=f"http://{HOST}:{port}", headers=headers, trust_env=False) as http:
        filed: list[httpx2.Response] = []
        for first in range(0, CASES, FILED_AT_ONCE):
            filed += await asyncio.gather(*(_file(http, first + each) for each in range(FILED_AT_ONCE)))
    return [each.raise_for_status().json()["case_id"] for each in filed]


async def _file(http: httpx2.AsyncClient, number: int) -> httpx2.Response:
    return await http.post("/v1/applications", json=FILING, headers={"Idempotency-Key": f"filing-{number}"})


@asynccontextmanager
async def _served(module: str, folder: Path, database_url: str) -> AsyncIterator[int]:
    """A program that answers, on the port that is given."""
    port = choose_port(0)
    process = await _start(module, folder, _environment(folder, database_url, port))
    try:
        await _ready(port, process)
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _environment(folder: Path, database_url: str, port: int) -> Mapping[str, str]:
    own = {
        "PASSAGE_DATA_DIR": str(folder),
        "PASSAGE_DATABASE_URL": database_url,
        "PASSAGE_GATEWAY_PORT": str(port),
        "PASSAGE_PARTNER_KEYS": str(folder / "partners.json"),
        "PASSAGE_EMBEDDED_STACK": "1",
        "PASSAGE_TOKEN_ISSUER": ISSUER,
        "PASSAGE_TOKEN_KEYS_URL": ensure_issuer(folder / "token-issuer").public_keys.as_uri(),
        "PASSAGE_SENDER_RATE_PER_S": "1000000",
        "PASSAGE_SENDER_BURST": "1000000",
    }
    return child_environment(own, without="PASSAGE_")


async def _start(module: str, folder: Path, environment: Mapping[str, str]) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", module, cwd=folder, env=environment, stdout=DEVNULL, stderr=DEVNULL
    )


async def _ready(port: int, process: Process) -> None:
    async with asyncio.timeout(START_TIMEOUT_S), httpx2.AsyncClient(trust_env=False) as http:
        while True:
            if process.returncode is not None:
                raise OSError(f"a program of the measurement ended with {process.returncode}")
            try:
                if (await http.get(f"http://{HOST}:{port}/readyz")).is_success:
                    return
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
