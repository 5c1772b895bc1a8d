"""docs/partners.md, tried as a newcomer would: its examples run as they stand, and its table has every code."""

import asyncio
import json
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from cases.inbound.webhooks import Signer, Verifier, new_shared_key
from gateway.http.problems import KINDS
from process.config import Settings, child_environment
from process.key_files import read_keys
from stack.partner_keys import ensure_partner_keys
from tests.support.gateway import gateway_desk
from tests.support.partner_calls import served

PAGE = (Path(__file__).parents[2] / "docs/partners.md").read_text()


def examples(section: str) -> list[str]:
    """The indented blocks of a section."""
    found = re.search(rf"^#+ {re.escape(section)}$(.*?)(?=^#+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, section
    blocks = re.findall(r"(?:^(?: {4}.*)?\n)+", found[1], re.MULTILINE)
    return ["\n".join(line[4:] for line in block.splitlines()) for block in blocks if block.strip()]


async def run(home: Path, *command: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=home, env=child_environment(environment), stdout=PIPE, stderr=STDOUT
    )
    said, _ = await asyncio.wait_for(process.communicate(), 30)
    return said.decode()


async def test_the_examples_run_as_they_stand(database_url: str, tmp_path: Path) -> None:
    key = new_shared_key()
    make_pair, sign_with_pair = examples("With a key pair of your own")
    public = (await run(tmp_path, "bash", "-c", make_pair)).splitlines()[-1]
    file = tmp_path / "partners.json"
    file.write_text(json.dumps({"sponsor_registry": [key], "border": [public]}))
    file.chmod(0o600)
    guard = Settings(database_url=SecretStr(database_url), partner_keys=file)
    async with gateway_desk(database_url, tmp_path / "keys", guard=guard) as desk, served(desk.app) as gateway:
        desk.moments.append(datetime.now(UTC))
        case_id = await desk.filed_case()
        await desk.take_all(case_id)
        given = {"GATEWAY": gateway, "CASE": case_id, "KEY": key}
        python = await run(tmp_path, sys.executable, "-c", examples("In Python")[0], **given)
        assert python.startswith('202 {"message_id":"msg_python_1"'), python
        shell = await run(tmp_path, "bash", "-c", examples("With curl and openssl")[0], **given)
        assert shell.startswith('{"message_id":"msg_shell_1"'), shell
        pair = await run(tmp_path, "bash", "-c", sign_with_pair, **given)
        assert pair.startswith('{"message_id":"msg_pair_1"'), pair
        assert await desk.rows() == 4


def test_every_error_is_told_with_its_status_and_its_mend() -> None:
    told = {code: int(status) for status, code in re.findall(r"^\| (\d+) \| `([a-z-]+)` \|", PAGE, re.MULTILINE)}
    # Of addresses; of pages, which say it in words; and of the record alone.
    elsewhere = {"not-found", "method-not-allowed", "form-stale", "case-not-asked"}
    assert told == {code: kind.status for code, kind in KINDS.items() if code not in elsewhere}


def test_an_embedded_stack_makes_keys_that_belong_together_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    files = ensure_partner_keys(tmp_path / "partner-keys")
    known, signing = read_keys(files.gateway, Verifier.parse), read_keys(files.senders, Signer.parse)
    assert {name: keys[0].scheme for name, keys in known.items()} == {
        name: keys[0].scheme for name, keys in signing.items()
    }
    assert {keys[0].scheme for keys in known.values()} == {"v1", "v1a"}
    assert all(known[name][0].verifies(b"x", keys[0].sign_bytes(b"x")) for name, keys in signing.items())
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * 4
    assert "whsk_" not in files.gateway.read_text()
    before = files.senders.read_bytes()
    assert ensure_partner_keys(tmp_path / "partner-keys").senders.read_bytes() == before
