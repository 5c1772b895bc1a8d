"""What an auditor's own login is enough for: it may read the log and record that it did, and nothing more."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from cli.main import application, exit_code
from domain.humanitarian_parole.stages.filing import WithdrawalRequest
from domain.kernel.ids import CaseId
from tests.support.filed import day
from tests.support.sealed_log import SealedLog

RULES = Path(__file__).parents[2] / "domain/humanitarian_parole/programmes/venezuela-air/sets/2022-10-12.toml"
LOGIN = "passage_audit_login"


@pytest.fixture
async def login_url(database_url: str) -> AsyncIterator[str]:
    """The same database, by a login as `deploy/postgres/logins.sh` makes it."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(f"CREATE ROLE {LOGIN} LOGIN PASSWORD 'p' IN ROLE passage_auditor, passage_reader")
    parts = urlsplit(database_url)
    yield urlunsplit(parts._replace(netloc=f"{LOGIN}:p@{parts.hostname}:{parts.port}"))
    await connection.execute(f"DROP ROLE {LOGIN}")
    await connection.close()


async def one_case(log: SealedLog) -> CaseId:
    case_id = await log.file()
    await log.say(case_id, WithdrawalRequest(), day(20))
    await log.seal()
    return case_id


@pytest.mark.parametrize(
    "command",
    [
        "replay CASE",
        "replay CASE --reason complaint",
        f"what-if --rules {RULES}",
        "verify",
        "reconcile --all --kept",
    ],
    ids=lambda command: "-".join(command.split()[:1]) + ("-personal" if "--reason" in command else ""),
)
async def test_it_is_enough_to(
    command: str, log: SealedLog, login_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case_id = await one_case(log)
    monkeypatch.setenv("PASSAGE_DATABASE_URL", login_url)
    monkeypatch.setenv("PASSAGE_EMBEDDED_STACK", "1")
    monkeypatch.setenv("PASSAGE_UNSIGNED_MESSAGES", "1")  # nobody need sign in
    monkeypatch.setenv("PASSAGE_KEYS_DIR", str(log.keys))
    monkeypatch.setenv("PASSAGE_DATA_DIR", str(log.keys.parent))
    arguments = [case_id if word == "CASE" else word for word in command.split()]
    code = await asyncio.to_thread(
        exit_code, lambda: application("audit")(["audit", *arguments], standalone_mode=False)
    )
    assert (code, capsys.readouterr().err) == (0, "")
