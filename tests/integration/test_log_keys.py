"""Another key for the log, told in `docs/audit.md`, as the person in charge does it."""

import asyncio
from pathlib import Path

import pytest

from audit.log.log_key import FOLDER, FileLogKey, FormerVerifier, LogKeys, make_log_key
from audit.log.notes import NoteForged
from audit.log.sealer import opened_sealer
from audit.log.sealing import SealRefused
from audit.verify.faults import Code
from audit.verify.record import known_checkpoint
from cli.main import application, exit_code
from tests.support.sealed_log import ORIGIN, SealedLog


async def sealed_once_more(log: SealedLog, keys: Path) -> int:
    """One case more under the keys that lie there; the size that was signed."""
    async with opened_sealer(log.database_url, keys) as sealer:
        log.sealer = sealer
        await log.file()
        return (await log.seal()).size


async def test_a_log_goes_on_under_another_key(
    log: SealedLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, old = log.keys / FOLDER, FileLogKey(log.keys).verifier
    new = make_log_key(tmp_path / "new", ORIGIN).verifier
    await sealed_once_more(log, log.keys)
    of_the_old = await log.checkpoint()
    (folder / "next-signer").write_text((tmp_path / "new" / FOLDER / "signer").read_text())
    last = await sealed_once_more(log, log.keys)
    (folder / "next-signer").rename(folder / "signer")
    (folder / "former-verifiers").write_text(f"{old} {last}\n")
    await sealed_once_more(log, log.keys)
    former = FormerVerifier(old, last)
    assert await log.codes(former=(former,)) == set()
    assert await log.codes(former=(FormerVerifier(old, 1),)) == {Code.CHECKPOINT_FORGED}
    assert known_checkpoint(of_the_old, LogKeys(new, (former,))).size == 3
    with pytest.raises(NoteForged):
        known_checkpoint(of_the_old, LogKeys(new))
    monkeypatch.setenv("PASSAGE_DATABASE_URL", log.database_url)
    for keys, code in (([str(new), f"{old} {last}"], 0), ([str(new)], 1), ([str(new), str(old)], 2), ([f"{old} 9"], 2)):
        given = [part for key in keys for part in ("--key", key)]
        called = lambda given=given: application()(["audit", "verify", *given], standalone_mode=False)  # noqa: E731  one line
        assert await asyncio.to_thread(exit_code, called) == code
        capsys.readouterr()


async def test_a_log_is_not_sealed_under_a_key_that_did_not_sign_beside_the_last(
    log: SealedLog, tmp_path: Path
) -> None:
    await log.file()
    await log.seal()
    make_log_key(tmp_path / "new", ORIGIN)
    (log.keys / FOLDER / "signer").write_text((tmp_path / "new" / FOLDER / "signer").read_text())
    async with opened_sealer(log.database_url, log.keys) as sealer:
        with pytest.raises(SealRefused, match="log-of-another-key"):
            await sealer.seal()
