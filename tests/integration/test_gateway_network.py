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
from gateway.identity.tokens import digest_of
from process.config import Settings
from stack.ports import HOST, choose_port
from tests.integration.test_gateway_process import ended, ready, start
from tests.support.gateway import Desk, a_filing, gateway_desk

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
    unknown, tries = "/v1/cases/VEN-7Q4K-M2XS", Misses.BURST + 10
    codes = [(await desk.http.get(unknown, headers=guesser)).json()["code"] for _ in range(tries)]
    assert codes[: Misses.BURST] == ["unknown-case"] * Misses.BURST
    assert "too-many-messages" in codes[Misses.BURST :]
    hit: Any = await desk.http.get(f"/v1/cases/{case_id}", headers=guesser)
    assert hit.status_code == 429  # nor is what is there told apart from what is not
    assert (await desk.http.get(f"/v1/cases/{case_id}", headers=other)).status_code == 200
    row = "SELECT sum(times) FROM passage.refusal WHERE code = 'unknown-case' AND sender = $1"
    known = f"token:{await desk.reference('intake-a')}"
    assert await desk.database.fetchval(row, known) >= Misses.BURST


async def test_the_page_about_the_api_runs_nothing_and_loads_nothing_from_elsewhere(desk: Desk) -> None:
    page = await desk.http.get("/docs")
    assert page.status_code == 200
    assert "POST /v1/boarding-checks" in page.text
    assert "<script" not in page.text
    assert "src=" not in page.text
    assert "//" not in page.text.replace("https://json-schema.org", "").split("<main>")[0]
    assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["/openapi.json", "/healthz", "/metrics", "/v1/cases/VEN-7Q4K-M2XS", "/nowhere", "/docs"]
)
async def test_every_answer_has_the_headers_that_keep_browsers_from_guessing_and_keeping(desk: Desk, path: str) -> None:
    headers = (await desk.http.get(path)).headers
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-request-id"]


async def test_two_services_that_choose_one_id_file_two_cases_and_no_id_is_kept_in_clear(desk: Desk) -> None:
    key, filing = "Ana-Rojas.1-Main-St", a_filing()
    first, second = [
        await desk.http.post(
            "/v1/applications",
            json=filing,
            headers={"Idempotency-Key": key, **desk.bearer("intake", subject=subject)},
        )
        for subject in ("intake-a", "intake-b")
    ]
    assert first.status_code == second.status_code == 202
    assert first.json()["case_id"] != second.json()["case_id"]
    again = await desk.http.post(
        "/v1/applications", json=filing, headers={"Idempotency-Key": key, **desk.bearer("intake", subject="intake-a")}
    )
    assert again.json()["case_id"] == first.json()["case_id"]
    await desk.take_all(first.json()["case_id"])
    for table in ("inbox", "events", "refusal", "notification"):
        assert "Rojas.1" not in str(await desk.database.fetch(f"SELECT * FROM passage.{table}"))


async def test_an_id_that_is_an_address_is_refused_and_not_kept(desk: Desk) -> None:
    refused = await desk.file("ana.rojas@example.org")
    assert refused.status_code == 422
    assert "example.org" not in str(await desk.database.fetch("SELECT * FROM passage.refusal"))


async def test_who_reads_a_case_leaves_a_trace(desk: Desk) -> None:
    case_id = await desk.filed_case()
    for path in (f"/v1/cases/{case_id}", f"/v1/cases/{case_id}/events"):
        assert (await desk.http.get(path, headers=desk.bearer("auditor", subject="a-3"))).status_code == 200
    rows = await desk.database.fetch("SELECT caller, case_id, times FROM passage.case_read")
    assert [tuple(row) for row in rows] == [(f"token:{await desk.reference('a-3')}", case_id, 2)]


async def test_signing_out_ends_a_token_wherever_a_copy_of_it_is(desk: Desk) -> None:
    stolen = desk.bearer("auditor", subject="a-3")
    token = stolen["Authorization"].removeprefix("Bearer ")
    await desk.deps.revoke(digest_of(token), desk.moments[-1])
    refused = await desk.http.get("/v1/programmes/venezuela-air", headers=stolen)
    assert (refused.status_code, refused.json()["code"]) == (401, "token-revoked")
