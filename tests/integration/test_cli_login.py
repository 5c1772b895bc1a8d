"""`passage login`: whose token the other commands act with."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.identity import read_token
from cli.main import application, exit_code
from stack.token_issuer import ISSUER, ensure_issuer

Run = Callable[..., int]


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    files = ensure_issuer(tmp_path / "token-issuer")
    for name, value in {
        "DATABASE_URL": database_url,
        "KEYS_DIR": str(tmp_path / "keys"),
        "DATA_DIR": str(tmp_path),
        "EMBEDDED_STACK": "1",
        "TOKEN_ISSUER": ISSUER,
        "TOKEN_KEYS_URL": files.public_keys.as_uri(),
        "TOKEN_SIGNING_KEY": str(files.signing_key),
    }.items():
        monkeypatch.setenv(f"PASSAGE_{name}", value)
    return lambda *arguments: exit_code(lambda: application()(list(arguments), standalone_mode=False))


async def test_a_token_is_kept_for_its_owner_alone_and_says_who_acts(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suspend = ("programme", "suspend")
    assert await asyncio.to_thread(run, *suspend) == 2
    assert "who are you?" in capsys.readouterr().err
    assert await asyncio.to_thread(run, "login", "--subject", "op-1", "--role", "auditor") == 0
    assert capsys.readouterr().out.startswith("Signed in as s-")
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
    assert read_token(tmp_path / "token").count(".") == 2
    assert await asyncio.to_thread(run, *suspend) == 2
    assert "role-missing" in capsys.readouterr().err
    for wrong in (("--subject", "ana@example.org", "--role", "officer"), ("--subject", "o-1", "--role", "boss")):
        assert await asyncio.to_thread(run, "login", *wrong) == 2
