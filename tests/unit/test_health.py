import asyncio

import httpx2
import pytest

from process.config import Settings
from process.health import health_answered
from stack.ports import HOST, choose_port


async def status(port: int, path: str) -> int:
    async with httpx2.AsyncClient(trust_env=False) as http:
        return (await http.get(f"http://{HOST}:{port}{path}")).status_code


async def test_it_lives_always_and_is_ready_when_the_program_says_so() -> None:
    port, words = choose_port(0), {"ready": False}
    async with health_answered(Settings(probe_port=port), lambda: words["ready"]):
        assert await status(port, "/healthz") == 200
        assert await status(port, "/readyz") == 503
        words["ready"] = True
        assert await status(port, "/readyz") == 200
        assert await status(port, "/secrets") == 404
    with pytest.raises(httpx2.ConnectError):
        await status(port, "/healthz")


async def test_who_asks_badly_gets_no_answer_and_disturbs_nobody() -> None:
    port = choose_port(0)
    async with health_answered(Settings(probe_port=port), lambda: True):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"G" * 10_000)
        assert await reader.read() == b""
        writer.close()
        assert await status(port, "/healthz") == 200
