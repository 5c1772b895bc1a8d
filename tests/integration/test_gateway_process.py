"""`python -m gateway` as the supervisor runs it: a real port, real signals, one line where it cannot start."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from gateway.http.examples import FILING
from process.config import child_environment
from stack.ports import HOST, choose_port
from tests.support.gateway import Desk, gateway_desk


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with gateway_desk(database_url, tmp_path / "keys") as opened:
        yield opened


async def start(module: str, home: Path, **settings: str) -> Process:
    environment = child_environment(
        {"PASSAGE_KEYS_DIR": str(home / "keys"), "PASSAGE_DATA_DIR": str(home / "data"), **settings},
        without="PASSAGE_",
    )
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", module, env=environment, cwd=home, stdout=PIPE, stderr=PIPE
    )


@asynccontextmanager
async def ended(process: Process) -> AsyncIterator[Process]:
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def ready(http: httpx2.AsyncClient) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                if (await http.get("/readyz")).is_success:
                    return
            except httpx2.TransportError:
                await asyncio.sleep(0.05)


async def test_it_answers_what_is_under_way_and_ends_in_order(desk: Desk, database_url: str, tmp_path: Path) -> None:
    port = choose_port(8300)
    settings = {
        "PASSAGE_DATABASE_URL": database_url,
        "PASSAGE_GATEWAY_PORT": str(port),
        "PASSAGE_EMBEDDED_STACK": "1",
        "PASSAGE_UNSIGNED_MESSAGES": "1",
    }
    address = f"http://{HOST}:{port}"
    async with (
        ended(await start("gateway", tmp_path, **settings)) as process,
        httpx2.AsyncClient(base_url=address, trust_env=False, timeout=15) as http,
    ):
        await ready(http)
        filed = await http.post("/v1/applications", json=dict(FILING), headers={"Idempotency-Key": "filing-1"})
        case_id = filed.json()["case_id"]
        message = {"case": case_id, "message": "application.withdrawn"}
        headers = {"webhook-id": "m-1", "Prefer": "wait=3"}
        waiting = asyncio.create_task(http.post("/v1/partners/applicant/messages", json=message, headers=headers))
        await asyncio.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
        await desk.take_all(case_id)
        assert (await waiting).json()["answer"] == "accepted"
        _, said = await asyncio.wait_for(process.communicate(), 15)
    assert process.returncode == 0, said
    lines = [json.loads(line) for line in said.decode().splitlines()]
    posts = [line for line in lines if line.get("method") == "POST"]
    assert [(line["route"], line["status"]) for line in posts] == [
        ("/v1/applications", 202),
        ("/v1/partners/{partner}/messages", 202),
    ]
    assert case_id not in said.decode()


@pytest.mark.parametrize("module", ["gateway", "relay"])
async def test_a_start_without_its_database_says_so_in_one_line(module: str, tmp_path: Path) -> None:
    nowhere = f"postgresql://{HOST}:{choose_port(5999)}/passage"
    for settings in ({}, {"PASSAGE_DATABASE_URL": nowhere}):
        async with ended(await start(module, tmp_path, **settings)) as process:
            _, said = await asyncio.wait_for(process.communicate(), 30)
            assert process.returncode == 2, said
            assert len(said.decode().splitlines()) == 1, said
            assert b"database" in said
