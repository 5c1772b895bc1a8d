"""An export of a case that went through the real stack, verified as somebody does who has nothing else of Passage.

The virtual environment is new and holds `cryptography` alone; the network is off, by a namespace of its own where the
system lets us make one, and in any case by a `socket` that refuses.
"""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import asyncpg
import pytest

from audit.access import Auditor
from audit.export.case import Export, export_case
from audit.log.log_key import FileLogKey
from audit.log.sealer import opened_sealer
from domain.kernel.proof import Proof
from eventstore.format.envelope import machine_clock
from simulation.format.loader import load_scenarios
from simulation.skipped.databases import Databases
from simulation.skipped.runner import run_scenarios
from tests.support.sealed_log import ORIGIN

SCENARIO = Path(__file__).parents[1] / "scenarios" / "two-officers.yaml"
NEEDED = ("cryptography", "cffi", "_cffi_backend*", "pycparser")
NO_NETWORK = """
import socket

def refuse(*_, **__):
    raise OSError("the network is off")

class Refused(socket.socket):
    __init__ = refuse

socket.socket = Refused
socket.create_connection = socket.getaddrinfo = refuse
"""
FLIPS = """
import sys
from pathlib import Path
import verify

archive, step, found = Path("case.tar.gz").read_bytes(), int(sys.argv[1]), 0
for position in range(0, len(archive), step):
    altered = bytearray(archive)
    altered[position] ^= 1 + position % 255
    try:
        verify.check(bytes(altered))
    except verify.AlteredError:
        found += 1
    else:
        sys.exit(f"byte {position} may be changed")
verify.check(archive)
print(found, len(archive))
"""
FLIPPED = 1500
"""Bytes changed in turn, spread evenly over the whole archive; `test_export.py` takes each one at its two ends."""


class CleanEnvironment:
    """A virtual environment without an index, a package of ours, or a network."""

    def __init__(self, home: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
        self.python = home / "bin" / "python"
        self.site = next((home / "lib").glob("python*/site-packages"))
        installed = Path(asyncpg.__file__).parents[1]
        for part in NEEDED:
            for found in installed.glob(part):
                (self.site / found.name).symlink_to(found)
        (self.site / "sitecustomize.py").write_text(NO_NETWORK)
        unshare = shutil.which("unshare")
        alone = [unshare, "--net"] if unshare else []
        works = bool(alone) and not subprocess.run([*alone, "true"], check=False, capture_output=True).returncode
        self._command = [*(alone if works else []), str(self.python)]

    def run(self, cwd: Path, *arguments: str) -> tuple[int, str]:
        """Exit code and all it said."""
        command = [*self._command, *arguments]
        done = subprocess.run(command, cwd=cwd, env={}, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


async def exported(url: str, keys: Path) -> tuple[bytes, str]:
    """The archive of the scenario's case, and the key of its log."""
    async with opened_sealer(url, keys, ORIGIN) as sealer:
        while await sealer.seal():
            pass
        await sealer.sign()
    connection = await asyncpg.connect(url)
    case_id = await connection.fetchval("SELECT case_id FROM passage.case_head ORDER BY version DESC LIMIT 1")
    await connection.close()
    export = Export(case_id=case_id, auditor=Auditor(Proof("operator", "a-1", "auditor"), "court-order"))
    return (await export_case(url, keys, export, machine_clock())).archive, str(FileLogKey(keys).verifier)


@pytest.mark.slow  # the real stack, and 1,500 altered archives
@pytest.mark.timeout(240)
async def test_an_export_of_a_case_verifies_with_the_network_off_and_no_changed_byte_passes(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def kept(_: Databases) -> str:
        """This test's, which outlives the run of the scenario."""
        return database_url

    monkeypatch.setattr(Databases, "create", kept)
    assert await run_scenarios(load_scenarios([SCENARIO]), lambda _: None)
    archive, key = await exported(database_url, tmp_path / "keys")
    received = tmp_path / "received"
    received.mkdir()
    (received / "case.tar.gz").write_bytes(archive)
    with tarfile.open(received / "case.tar.gz") as tar:
        tar.extract("verify.py", received, filter="data")

    clean = CleanEnvironment(tmp_path / "venv")
    for absent in ("pydantic", "asyncpg", "audit"):
        assert clean.run(received, "-c", f"import {absent}")[0] == 1
    code, said = clean.run(received, "-c", "import socket; socket.create_connection(('127.0.0.1', 1))")
    assert (code, "the network is off" in said) == (1, True)

    code, said = clean.run(received, "verify.py", "case.tar.gz", "--key", key)
    assert (code, said.split("\n")[0]) == (0, "VERIFIED"), said
    assert "the case is complete" in said
    (received / "flips.py").write_text(FLIPS)
    code, said = clean.run(received, "flips.py", str(len(archive) // FLIPPED))
    assert code == 0, said
    assert int(said.split()[0]) >= FLIPPED
