"""`passage erase` from a terminal: who may erase what, and what they are told."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import application, exit_code
from domain.humanitarian_parole.stages.filing import WithdrawalRequest
from domain.kernel.ids import CaseId
from tests.support.filed import day
from tests.support.sealed_log import SealedLog

NOBODY = "VEN-7Q4K-M2XS"
ORDER = ("--officer", "o-1", "--second-officer", "o-2", "--reason", "retention-ended")


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


async def test_a_held_case_is_kept_until_it_is_released(log: SealedLog, erase: Erase) -> None:
    case_id = await closed_case(log)
    held = await erase(case_id, "--hold", "--officer", "o-1", "--reason", "litigation")
    assert held.stdout == f"{case_id} is kept by a legal hold.\n"
    refused = await erase(case_id, *ORDER)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.strip().endswith("is not changed: a legal hold keeps it")
    released = await erase(case_id, "--release-hold", "--officer", "o-1", "--reason", "litigation-over", "--json")
    assert json.loads(released.stdout) == {"case_id": case_id, "held": False}
    assert (await erase(case_id, *ORDER)).returncode == 0


async def test_what_may_not_be_is_one_line_and_changes_nothing(log: SealedLog, erase: Erase) -> None:
    still_open = await log.file()
    for arguments, code, words in [
        ((still_open, *ORDER), 1, "it is open: only a closed case is erased"),
        ((NOBODY, *ORDER), 1, "nobody filed it"),
        ((still_open, *ORDER[:2], "--second-officer", "o-1", *ORDER[4:]), 1, "two different officers must order it"),
        ((still_open, *ORDER[:2], *ORDER[4:]), 2, "erasing needs a second officer"),
        ((still_open, *ORDER[:4], "--reason", "Because I say so"), 2, "a reason by a code"),
        ((still_open, "--hold", "--release-hold", *ORDER), 2, "either placed or released"),
    ]:
        done = await erase(*arguments)
        assert (done.returncode, done.stdout) == (code, ""), arguments
        assert words in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert not (await log.cases.case(still_open)).erased
