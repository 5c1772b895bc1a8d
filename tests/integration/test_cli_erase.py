"""`passage erase` from a terminal: who may erase what, and what they are told."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.identity import write_token
from cli.main import application, exit_code
from domain.humanitarian_parole.stages.filing import WithdrawalRequest
from domain.kernel.ids import CaseId
from stack.token_issuer import ISSUER, ensure_issuer, issue_token
from tests.support.filed import day
from tests.support.sealed_log import SealedLog

NOBODY = "VEN-7Q4K-M2XS"
ORDER = ("--token-file", "o-1", "--second-token-file", "o-2", "--reason", "retention-ended")


@dataclass(frozen=True)
class Done:
    """What whoever typed it sees."""

    returncode: int
    stdout: str
    stderr: str


Erase = Callable[..., Awaitable[Done]]


@pytest.fixture
def erase(log: SealedLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Erase:
    """The command as its entry point runs it, in a thread, for it has a loop of its own."""
    monkeypatch.setenv("PASSAGE_DATABASE_URL", log.database_url)
    monkeypatch.setenv("PASSAGE_KEYS_DIR", str(log.keys))
    monkeypatch.setenv("PASSAGE_DATA_DIR", str(tmp_path))
    files = ensure_issuer(tmp_path / "token-issuer")
    monkeypatch.setenv("PASSAGE_EMBEDDED_STACK", "1")
    monkeypatch.setenv("PASSAGE_TOKEN_ISSUER", ISSUER)
    monkeypatch.setenv("PASSAGE_TOKEN_KEYS_URL", files.public_keys.as_uri())
    monkeypatch.chdir(tmp_path)
    for subject, role in [("o-1", "officer"), ("O-1", "officer"), ("o-2", "officer"), ("a-3", "auditor")]:
        token = issue_token(files.signing_key, subject=subject, roles=[role], audience="passage", at=datetime.now(UTC))
        write_token(tmp_path / subject, token)

    async def run(*arguments: str) -> Done:
        code = await asyncio.to_thread(
            exit_code, lambda: application("erase")(["erase", *arguments], standalone_mode=False)
        )
        return Done(code, *capsys.readouterr())

    return run


async def closed_case(log: SealedLog) -> CaseId:
    case_id = await log.file()
    await log.say(case_id, WithdrawalRequest(), day(20))
    return case_id


async def test_two_officers_erase_and_a_second_time_says_so(log: SealedLog, erase: Erase) -> None:
    case_id = await closed_case(log)
    first = await erase(case_id, *ORDER)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith(f"{case_id}: personal data erased, event 5.\n")
    again = await erase(case_id.lower(), *ORDER, "--json")
    assert json.loads(again.stdout) == {"case_id": case_id, "erased": True, "version": 5, "first": False}
    assert (await log.cases.case(case_id)).erased
    (event,) = (await log.store.load(case_id)).events[4:]
    assert (event.proof.startswith("operator:s-"), event.proof.endswith(":officer")) == (True, True)
    assert "o-1" not in event.event.model_dump_json()


async def test_a_token_that_others_can_read_is_nobodys(log: SealedLog, erase: Erase, tmp_path: Path) -> None:
    case_id = await closed_case(log)
    (tmp_path / "o-2").chmod(0o644)
    refused = await erase(case_id, *ORDER)
    assert (refused.returncode, refused.stderr.count("can be read by others")) == (2, 1)
    assert not (await log.cases.case(case_id)).erased


async def test_a_held_case_is_kept_until_it_is_released(log: SealedLog, erase: Erase) -> None:
    case_id = await closed_case(log)
    held = await erase(case_id, "--hold", "--token-file", "o-1", "--reason", "litigation")
    assert held.stdout == f"{case_id} is kept by a legal hold.\n"
    refused = await erase(case_id, *ORDER)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.strip().endswith("is not changed: a legal hold keeps it")
    released = await erase(case_id, "--release-hold", "--token-file", "o-1", "--reason", "litigation-over", "--json")
    assert json.loads(released.stdout) == {"case_id": case_id, "held": False}
    assert (await erase(case_id, *ORDER)).returncode == 0


async def test_what_may_not_be_is_one_line_and_changes_nothing(log: SealedLog, erase: Erase) -> None:
    still_open = await log.file()
    for arguments, code, words in [
        ((still_open, *ORDER), 1, "it is open: only a closed case is erased"),
        ((NOBODY, *ORDER), 1, "nobody filed it"),
        ((still_open, *ORDER[:2], "--second-token-file", "O-1", *ORDER[4:]), 1, "two different officers must order it"),
        ((still_open, *ORDER[:2], *ORDER[4:]), 2, "erasing needs a second officer"),
        ((still_open, *ORDER[:4], "--reason", "Because I say so"), 2, "a reason is a code"),
        ((still_open, *ORDER[:2], "--second-token-file", "a-3", *ORDER[4:]), 2, "the token is refused (role-missing)"),
        ((still_open, "--second-token-file", "o-2", *ORDER[4:]), 2, "who are you? sign in with `passage login`"),
        ((still_open, *ORDER[:2], "--second-token-file", "o-7", *ORDER[4:]), 2, "holds no token"),
        ((still_open, "--hold", "--release-hold", *ORDER), 2, "either placed or released"),
    ]:
        done = await erase(*arguments)
        assert (done.returncode, done.stdout) == (code, ""), arguments
        assert words in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert not (await log.cases.case(still_open)).erased
