"""What `verify` makes of witnesses, and of a log whose key was changed."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from audit.access import Auditor
from audit.export.case import Export, export_case
from audit.export.verify import check
from audit.log.log_key import FOLDER, FileLogKey, read_verifiers
from audit.log.sealer import opened_sealer
from audit.log.witnesses import Witness
from audit.verify.faults import Code, Fault
from audit.verify.record import Scope, Verified, verify
from domain.kernel.proof import Proof
from tests.support.filed import day
from tests.support.sealed_log import ORIGIN, SealedLog, case, opened_log, three_cases
from tests.support.stack import run_passage
from tests.support.witness import NAME, SIGNED_AT, WitnessOffice


@pytest.fixture
async def log(database_url: str, tmp_path: Path) -> AsyncIterator[SealedLog]:
    async with three_cases(database_url, tmp_path / "keys") as opened:
        yield opened


async def cosign(log: SealedLog, content: str) -> int:
    """Store a line under the newest checkpoint; its size."""
    async with log.sealer.pool.acquire() as connection:
        size: int = await connection.fetchval("SELECT max(size) FROM passage.checkpoint")
        await connection.execute("SELECT passage.put_witness($1, 'cosignature', $2)", size, content.encode())
    return size


async def verified(log: SealedLog, *witnesses: str) -> tuple[Verified, list[Code]]:
    faults: list[Fault] = []
    verifier, *others = read_verifiers(log.keys)
    scope = Scope(verifier=verifier, other_verifiers=tuple(others), witnesses=tuple(map(Witness.parse, witnesses)))
    found = await verify(log.database_url, scope, faults.append)
    return found, [fault.code for fault in faults if fault.code != Code.SEAL_LATE]


async def test_what_a_witness_cosigned_is_told(log: SealedLog) -> None:
    office = WitnessOffice()
    size = await cosign(log, office.line(await log.checkpoint()))
    found, codes = await verified(log, office.key)
    assert codes == []
    [told] = found.cosigned
    assert (told.witness, told.checkpoints, told.size, told.at) == (NAME, 1, size, SIGNED_AT)
    assert (await verified(log))[0].cosigned == ()


async def test_a_witness_that_never_cosigned_is_missed(log: SealedLog) -> None:
    await cosign(log, WitnessOffice(1).line(await log.checkpoint()))
    _, codes = await verified(log, WitnessOffice(1).key, WitnessOffice(2).key)
    assert codes == [Code.COSIGNATURE_MISSING]


@pytest.mark.parametrize("forgery", ["of another log", "no line at all"])
async def test_a_forged_cosignature_is_told(log: SealedLog, forgery: str) -> None:
    office = WitnessOffice()
    await cosign(log, office.line("another log\n1\nAAAA\n\n") if forgery == "of another log" else "cosigned!")
    _, codes = await verified(log, office.key)
    assert codes == [Code.COSIGNATURE_FORGED, Code.COSIGNATURE_MISSING]


@pytest.mark.slow  # four starts of the program
async def test_the_command_asks_for_a_witness_and_for_each_key(log: SealedLog, tmp_path: Path) -> None:
    office = WitnessOffice()
    await cosign(log, office.line(await log.checkpoint()))
    environment = {"PASSAGE_DATABASE_URL": log.database_url, "PASSAGE_KEYS_DIR": str(log.keys)}

    def asked(*arguments: str) -> tuple[int, str]:
        done = run_passage("audit", "verify", *arguments, cwd=tmp_path, environment=environment)
        return done.returncode, done.stdout + done.stderr

    assert f"{NAME} cosigned 1 checkpoints" in asked("--witness-key", office.key)[1]
    assert "cosignature-missing" in asked("--witness-key", WitnessOffice(2).key)[1]
    assert asked("--witness-key", str(FileLogKey(log.keys, ORIGIN).verifier))[0] == 2
    stranger = str(FileLogKey(tmp_path / "another", "another/log").verifier)
    assert asked("--key", str(FileLogKey(log.keys, ORIGIN).verifier), "--key", stranger)[0] == 2


async def test_a_log_goes_on_under_another_key(database_url: str, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    async with three_cases(database_url, keys) as log:
        kept = await log.checkpoint()
    folder, following = keys / FOLDER, FileLogKey(tmp_path / "next", ORIGIN).verifier
    old = FileLogKey(keys, ORIGIN).verifier
    os.link(tmp_path / "next" / FOLDER / "signer", folder / "next-signer")
    async with opened_log(database_url, keys) as log:  # while keys change, both sign
        await log.file()
        await log.seal_map()
        assert (await verified(log))[1] == []
        both = await log.checkpoint()
    (folder / "next-signer").replace(folder / "signer")
    (folder / "former-verifiers").write_text(f"{old}\n")
    async with opened_log(database_url, keys) as log:
        await log.file()
        await log.seal_map()
        found, codes = await verified(log)
        assert codes == []
        assert found.checkpoints > 3
        assert log.sealer.key.verifier == following
        asked = Export(
            case_id=await case(log, 1), auditor=Auditor(Proof("operator", "a-3", "auditor"), "court-order"), older=both
        )
        exported = await export_case(database_url, keys, ORIGIN, asked, day(30))
    proved, _ = check(exported.archive, str(following), both)
    assert any("you kept" in line for line in proved)
    assert kept != both


async def test_a_log_is_not_sealed_under_a_key_that_did_not_sign_beside_the_last(
    log: SealedLog, tmp_path: Path
) -> None:
    (FileLogKey(tmp_path / "next", ORIGIN)._folder / "signer").replace(log.keys / FOLDER / "signer")
    await log.file()
    async with opened_sealer(log.database_url, log.keys, ORIGIN) as sealer:
        with pytest.raises(Exception, match="log-of-another-key"):
            await sealer.seal()
