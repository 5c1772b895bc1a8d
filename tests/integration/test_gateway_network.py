"""The gateway as the network attacks it: silent clients, other hosts' pages, proxies, and floods from one address."""

import asyncio
import contextlib
import resource
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from gateway.http.connections import CONNECTIONS_MAX
from gateway.http.limits import Misses
from gateway.http.protection import UNPROVEN_BURST
from process.config import Settings
from stack.ports import HOST, choose_port
from tests.integration.test_gateway_process import ended, ready, start
from tests.support.gateway import Desk, gateway_desk

IDLE = 1_011
BOARDING_MAX_S = 0.3
"""The budget of a boarding check."""


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    guard = Settings(database_url=SecretStr(database_url))
    async with gateway_desk(database_url, tmp_path / "keys", guard=guard) as opened:
        yield opened


@pytest.fixture
async def embedded(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    guard = Settings(database_url=SecretStr(database_url), embedded_stack=True, unsigned_messages=True)
    async with gateway_desk(database_url, tmp_path / "keys", guard=guard) as opened:
        yield opened


def more_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))


async def test_silent_and_half_sent_connections_keep_nobody_out(embedded: Desk, tmp_path: Path) -> None:
    more_files()
    assert IDLE > CONNECTIONS_MAX
    case_id, port = await embedded.filed_case(), choose_port(8300)
    settings = {
        "PASSAGE_DATABASE_URL": embedded.url,
        "PASSAGE_GATEWAY_PORT": str(port),
        "PASSAGE_EMBEDDED_STACK": "1",
        "PASSAGE_UNSIGNED_MESSAGES": "1",
    }
    async with (
        ended(await start("gateway", tmp_path, **settings)),
        httpx2.AsyncClient(base_url=f"http://{HOST}:{port}", trust_env=False, timeout=15) as http,
        contextlib.AsyncExitStack() as held,
    ):
        await ready(http)
        for number in range(IDLE):
            _, writer = await asyncio.open_connection(HOST, port)
            held.callback(writer.close)
            if number % 2:
                writer.write(b"POST /v1/boarding-checks HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        taken_s = []
        for _ in range(9):
            async with httpx2.AsyncClient(base_url=f"http://{HOST}:{port}", trust_env=False) as another:
                began = time.monotonic()
                answer = await another.post("/v1/boarding-checks", json={"case": case_id})
                taken_s.append(time.monotonic() - began)
            assert answer.status_code == 200, answer.text
        assert sorted(taken_s)[len(taken_s) // 2] < BOARDING_MAX_S


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example:8080"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Host": "localhost"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
    ],
)
async def test_where_nobody_proves_anything_only_this_machine_is_answered(
    embedded: Desk, headers: dict[str, str]
) -> None:
    case_id = await embedded.filed_case()
    before = await embedded.rows()
    body = {"case": case_id, "message": "application.withdrawn"}
    refused = await embedded.send("applicant", "m-1", body, **headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "not-local")
    assert await embedded.rows() == before
    assert await embedded.database.fetchval("SELECT times FROM passage.refusal WHERE code = 'not-local'") == 1


async def test_a_page_of_the_gateway_itself_and_a_program_beside_it_are_answered(embedded: Desk) -> None:
    case_id = await embedded.filed_case()
    for host in ("localhost:8080", "127.0.0.1", "[::1]:8080"):
        own = {"Host": host, "Origin": f"http://{host}"}
        assert (await embedded.http.get(f"/v1/cases/{case_id}", headers=own)).status_code == 200


def from_address(desk: Desk, address: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=desk.app, client=(address, 4711))
    return httpx2.AsyncClient(transport=transport, base_url="http://localhost")


async def test_a_flood_of_unproven_requests_from_one_address_is_cut_off_and_harms_no_other(desk: Desk) -> None:
    case_id = await desk.filed_case()
    async with from_address(desk, "203.0.113.9") as attacker, from_address(desk, "203.0.113.10") as partner:
        seen = [(await attacker.get(f"/v1/cases/{case_id}")).status_code for _ in range(UNPROVEN_BURST + 20)]
        assert seen.count(429) >= 15
        assert (await partner.get(f"/v1/cases/{case_id}", headers=desk.bearer("auditor"))).status_code == 200
    recorded = await desk.database.fetchval("SELECT sum(times) FROM passage.refusal WHERE code = 'token-missing'")
    assert recorded <= UNPROVEN_BURST + 5


async def test_guessing_case_ids_is_cut_off_for_one_caller_alone_and_is_on_record(desk: Desk) -> None:
    case_id = await desk.filed_case()
    guesser, other = desk.bearer("intake", subject="intake-a"), desk.bearer("intake", subject="intake-b")
    codes = [(await desk.http.get("/v1/cases/VEN-7Q4K-M2XS", headers=guesser)).json()["code"] for _ in range(40)]
    assert codes[: Misses.BURST] == ["unknown-case"] * Misses.BURST
    assert "too-many-messages" in codes[Misses.BURST :]
    hit: Any = await desk.http.get(f"/v1/cases/{case_id}", headers=guesser)
    assert hit.status_code == 429  # nor is what is there told apart from what is not
    assert (await desk.http.get(f"/v1/cases/{case_id}", headers=other)).status_code == 200
    row = "SELECT sum(times) FROM passage.refusal WHERE code = 'unknown-case' AND sender = 'token:intake-a'"
    assert await desk.database.fetchval(row) >= Misses.BURST
