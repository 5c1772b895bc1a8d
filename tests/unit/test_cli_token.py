import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cli.errors import UnusableError
from cli.stack.token import token
from gateway.assembly import open_tokens
from process.config import Settings, child_environment
from stack.token_issuer import ISSUER, ensure_issuer
from tests.support.staff import Nobodys


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A running embedded stack, as far as `passage token` sees one."""
    for name in child_environment({}):
        if name.startswith("PASSAGE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    files = ensure_issuer(tmp_path / "token-issuer")
    found: dict[str, Any] = {"token_issuer": ISSUER, "token_keys_url": files.public_keys.as_uri()}
    (tmp_path / ".passage").mkdir()
    (tmp_path / ".passage/stack.json").write_text(json.dumps({**found, "token_signing_key": str(files.signing_key)}))
    return Settings(**found)


async def test_it_prints_a_token_that_the_gateway_believes(stack: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    token(role=["officer", "auditor"], subject="o-1", minutes=5)
    printed = capsys.readouterr().out.strip()
    believing = stack.model_copy(update={"unsigned_messages": False, "embedded_stack": True})
    async with open_tokens(believing, Nobodys()) as tokens:
        caller = await tokens.verify(printed, datetime.now(UTC))
    assert (caller.subject, caller.roles) == ("o-1", frozenset({"officer", "auditor"}))


@pytest.mark.usefixtures("stack")
def test_a_role_that_there_is_not_is_named() -> None:
    with pytest.raises(UnusableError, match="no role boss: there are auditor, intake"):
        token(role=["officer", "boss"], subject="o-1", minutes=5)


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("subject", ["ana@example.org", "Ana Rojas", "", "-"])
def test_a_name_is_no_reference(subject: str) -> None:
    with pytest.raises(UnusableError, match="never a name"):
        token(role=["officer"], subject=subject, minutes=5)


@pytest.mark.usefixtures("stack")
def test_nobody_but_an_embedded_stack_issues_tokens(tmp_path: Path) -> None:
    (tmp_path / ".passage/stack.json").unlink()
    with pytest.raises(UnusableError, match="the issuer of your deployment"):
        token(role=["officer"], subject="o-1", minutes=5)


def test_the_signing_key_is_its_owners_alone_and_is_made_once(tmp_path: Path) -> None:
    files = ensure_issuer(tmp_path / "token-issuer")
    assert files.signing_key.stat().st_mode & 0o777 == 0o600
    before = files.signing_key.read_bytes()
    assert ensure_issuer(tmp_path / "token-issuer").signing_key.read_bytes() == before
    assert '"d"' not in files.public_keys.read_text()
    assert httpx2.URL(files.public_keys.as_uri()).scheme == "file"
