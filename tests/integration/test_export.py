"""An exported case, attacked: whoever changes it, also with the log's own key, is found out by the program in it."""

import ast
import base64
import gzip
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import cryptography
import pytest

from audit.access import Auditor
from audit.export.case import Export, Exported, export_case
from audit.export.verify import MANIFEST, SIGNATURE, AlteredError, canonical, check, manifest_of, pack, statement_of
from audit.export.verify import main as verify
from audit.log.log_key import FileLogKey, make_log_key
from audit.log.notes import NoteForged
from domain.access import CaseExported, PersonalDataViewed, access_stream
from domain.kernel.ids import CaseId
from domain.kernel.proof import Proof
from tests.support.filed import day
from tests.support.filings import PROGRAMME
from tests.support.sealed_log import ORIGIN, SealedLog

VERIFY_PY = Path(__file__).parents[2] / "audit" / "export" / "verify.py"
Files = dict[str, bytes]


async def a_case(log: SealedLog) -> CaseId:
    """One among five, authorized and closed."""
    cases = [await log.file() for _ in range(5)]
    await log.seal_map()
    await log.authorize(cases[2])
    await log.withdraw(cases[2])
    return cases[2]


async def exported(log: SealedLog, case_id: CaseId, **asked: Any) -> Exported:
    export = Export(case_id=case_id, auditor=Auditor(Proof("operator", "a-3", "auditor"), "court-order"), **asked)
    return await export_case(log.database_url, log.keys, export, day(30))


def files_of(archive: bytes) -> Files:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive))) as tar:
        return {each.name: (tar.extractfile(each) or io.BytesIO()).read() for each in tar}


def key_of(log: SealedLog) -> str:
    return str(FileLogKey(log.keys).verifier)


async def resigned(log: SealedLog, files: Files, case_id: str) -> bytes:
    """What an operator can do who has the log's key: make the archive whole again."""
    files[MANIFEST] = manifest_of(files)
    note = await FileLogKey(log.keys).sign(statement_of(case_id, files[MANIFEST]))
    files[SIGNATURE] = str(note).encode()
    return pack(files)


async def test_an_export_proves_the_case_and_says_what_it_cannot_prove(log: SealedLog) -> None:
    case_id = await a_case(log)
    kept = await log.checkpoint()
    await log.authorize(await log.file())
    done = await exported(log, case_id, older=kept)
    proved, unproved = check(done.archive, key_of(log), kept)
    told = "\n".join(proved)
    assert done.version == (await log.store.load(case_id)).version
    assert f"all {done.version} events of {case_id}" in told
    assert "the case is complete" in told
    assert "you kept" in told
    assert any("never appended" in line for line in unproved)
    assert not any("key" in line for line in unproved)
    _, without = check(done.archive)
    assert any(key_of(log) in line for line in without)


async def test_it_is_deterministic_opens_with_ordinary_tools_and_holds_nothing_personal(
    log: SealedLog, tmp_path: Path
) -> None:
    case_id = await a_case(log)
    done = await exported(log, case_id)
    files = files_of(done.archive)
    assert pack(files) == done.archive
    assert {name.split("/")[0] for name in files} == {
        "README.txt", "events.jsonl", "manifest.note", "manifest.txt", "proof.json", "replay.en.html", "replay.es.html",
        "rules", "schemas", "verify.py",
    }  # fmt: skip
    for secret in (b"Rojas", "Gómez".encode()):
        assert not any(secret in content for content in files.values())
    with tarfile.open(fileobj=io.BytesIO(done.archive), mode="r:gz") as tar:
        tar.extractall(tmp_path / "out", filter="data")
    assert (tmp_path / "out" / "verify.py").read_bytes() == VERIFY_PY.read_bytes()


async def test_each_export_is_on_record_and_what_is_personal_also_as_a_view(log: SealedLog) -> None:
    case_id = await a_case(log)
    done = await exported(log, case_id)
    shown = await exported(log, case_id, personal=True)
    assert b"Rojas" in files_of(shown.archive)["replay.es.html"]
    first, viewed, second = (await log.store.load(access_stream(PROGRAMME))).events
    assert first.actor == "auditor:a-3"
    assert first.event == CaseExported(
        at=day(30), case=case_id, because="court-order", case_version=done.version, archive_sha256=done.sha256
    )
    assert isinstance(viewed.event, PersonalDataViewed)
    assert isinstance(second.event, CaseExported)
    await log.seal_map()
    assert (await log.verify()).faults == []


async def test_one_changed_byte_anywhere_fails_it(log: SealedLog) -> None:
    archive = (await exported(log, await a_case(log))).archive
    random = Random(4)  # noqa: S311  which bytes are tried is no secret
    edges = [*range(700), *range(len(archive) - 1100, len(archive))]
    for position in [*edges, *(random.randrange(len(archive)) for _ in range(600))]:
        altered = bytearray(archive)
        altered[position] ^= 1 << random.randrange(8)
        with pytest.raises(AlteredError):
            check(bytes(altered))
    for other in (archive[:-1], archive + b"\0", b"", archive[:2000], gzip.compress(gzip.decompress(archive))):
        with pytest.raises(AlteredError):
            check(other)


def _swap_events(files: Files) -> None:
    lines = files["events.jsonl"].splitlines()
    files["events.jsonl"] = b"".join(line + b"\n" for line in (lines[0], lines[2], lines[1], *lines[3:]))


def _drop_last_event(files: Files) -> None:
    lines = files["events.jsonl"].splitlines()[:-1]
    files["events.jsonl"] = b"".join(line + b"\n" for line in lines)
    proof = json.loads(files["proof.json"])
    proof["events"].pop()
    files["proof.json"] = canonical(proof)


def _edit_body(files: Files) -> None:
    lines = [json.loads(line) for line in files["events.jsonl"].splitlines()]
    body = json.loads(base64.b64decode(lines[-1]["public_body"]))
    lines[-1]["public_body"] = base64.b64encode(canonical({**body, "outcome": "denied"})).decode()
    files["events.jsonl"] = b"".join(canonical(line) + b"\n" for line in lines)


def _edit_rule(files: Files) -> None:
    name = next(name for name in files if name.startswith("rules/"))
    files[name] = files[name].replace(b'"adult_age_years":18', b'"adult_age_years":21')


def _edit_proof(part: str, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Callable[[Files], None]:
    """Change what is there into something else: where a case stands in the log and the map is drawn by lot."""

    def edit(files: Files) -> None:
        proof = json.loads(files["proof.json"])
        at = proof
        for name in path[:-1]:
            at = at[name]
        was, at[path[-1]] = at[path[-1]], change(at[path[-1]])
        assert at[path[-1]] != was
        files["proof.json"] = canonical(proof)

    edit.__name__ = part
    return edit


def _drop_schema(files: Files) -> None:
    del files["schemas/CaseClosed.v1.json"]


ATTACKS: list[tuple[Callable[[Files], None], str]] = [
    (_swap_events, "chain-broken"),
    (_drop_last_event, "not-complete"),
    (_edit_body, "event-altered"),
    (_edit_rule, "rules-altered"),
    (_drop_schema, "schema-missing"),
    (_edit_proof("leaf", ("events", 1, "index"), lambda index: index - 1), "not-included"),
    (_edit_proof("map leaf", ("map", "index"), lambda index: index - 1), "map-not-included"),
    (_edit_proof("entry", ("map", "entry_index"), lambda index: index ^ 1), "not-complete"),
    (_edit_proof("older", ("older", "proof"), lambda _: []), "not-consistent"),
    (_edit_proof("events", ("events",), lambda _: []), "proof-missing"),
    (_edit_proof("case", ("case",), lambda _: "VEN-7Q4K-M2XS"), "event-moved"),
    (_edit_proof("nothing", ("map",), lambda _: None), "malformed"),
]


@pytest.mark.parametrize(("attack", "code"), ATTACKS, ids=lambda each: getattr(each, "__name__", each))
async def test_also_whoever_holds_the_logs_key_is_found_out(
    log: SealedLog, attack: Callable[[Files], None], code: str
) -> None:
    case_id = await a_case(log)
    files = files_of((await exported(log, case_id)).archive)
    attack(files)
    case = json.loads(files["proof.json"])["case"]
    with pytest.raises(AlteredError) as found:
        check(await resigned(log, files, case), key_of(log))
    assert found.value.code == code


async def test_another_key_another_signature_and_a_fork_are_refused(log: SealedLog, tmp_path: Path) -> None:
    case_id = await a_case(log)
    done = await exported(log, case_id)
    stranger = make_log_key(tmp_path / "stranger", ORIGIN)
    with pytest.raises(AlteredError, match="another-key"):
        check(done.archive, str(stranger.verifier))
    files = files_of(done.archive)
    note = await stranger.sign(statement_of(case_id, files[MANIFEST]))
    with pytest.raises(AlteredError, match="signature-forged"):
        check(pack({**files, SIGNATURE: str(note).encode()}), key_of(log))
    own = FileLogKey(log.keys)
    size = json.loads(files["proof.json"])["checkpoint"].split("\n")[1]
    fork = await own.sign(f"{ORIGIN}\n{size}\n{base64.b64encode(bytes(32)).decode()}\n")
    with pytest.raises(AlteredError, match="log-forked"):
        check(done.archive, key_of(log), str(fork))
    with pytest.raises(NoteForged):
        await exported(log, case_id, older=str(await stranger.sign(f"{ORIGIN}\n1\n{'A' * 43}=\n")))


async def test_an_erased_case_is_exported_and_verifies(log: SealedLog) -> None:
    case_id = await a_case(log)
    await log.store._keys.destroy(case_id)
    done = await exported(log, case_id, personal=True)
    assert "key is destroyed" in files_of(done.archive)["replay.en.html"].decode()
    check(done.archive, key_of(log))


async def test_a_case_that_nobody_filed_is_not_exported(log: SealedLog) -> None:
    await a_case(log)
    with pytest.raises(ValueError, match="no such case"):
        await exported(log, "VEN-7Q4K-M2XS")


def test_the_program_in_the_archive_needs_only_python_and_cryptography() -> None:
    tree = ast.parse(VERIFY_PY.read_text("utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    tops = {name.split(".")[0] for name in names}
    assert tops - set(sys.stdlib_module_names) == {"cryptography"}
    assert not tops & {"socket", "urllib", "http", "ssl", "subprocess", "importlib"}


_ALONE = """
import runpy, socket, sys
def refuse(*_, **__): raise OSError("the network is off")
socket.socket = socket.create_connection = socket.getaddrinfo = refuse
sys.path.append(sys.argv.pop(1))
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


async def test_it_runs_alone_from_the_archive_with_the_network_off(log: SealedLog, tmp_path: Path) -> None:
    done = await exported(log, await a_case(log))
    alone, site = tmp_path / "alone", tmp_path / "site"
    site.mkdir()
    installed = Path(cryptography.__file__).parents[1]
    for part in ("cryptography", "cffi", "_cffi_backend*", "pycparser"):
        for found in installed.glob(part):
            (site / found.name).symlink_to(found)
    with tarfile.open(fileobj=io.BytesIO(done.archive), mode="r:gz") as tar:
        tar.extractall(alone, filter="data")
    (alone / "case.tar.gz").write_bytes(done.archive)

    def run(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-S", "-I", "-c", _ALONE, str(site), "verify.py", *arguments]
        ran = subprocess.run(command, cwd=alone, capture_output=True, text=True, check=False, env={})
        return ran.returncode, ran.stdout + ran.stderr

    code, said = run("case.tar.gz", "--key", key_of(log))
    assert (code, said.split("\n")[0]) == (0, "VERIFIED"), said
    assert "not proved: an event that was never appended" in said
    altered = bytearray(done.archive)
    altered[len(altered) // 2] ^= 1
    (alone / "altered.tar.gz").write_bytes(altered)
    code, said = run("altered.tar.gz")
    assert (code, said.startswith("NOT VERIFIED  archive-altered")) == (1, True), said
    assert run("missing.tar.gz")[0] == 2


async def test_the_exit_codes_of_the_program(
    log: SealedLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "case.tar.gz"
    file.write_bytes((await exported(log, await a_case(log))).archive)
    assert verify([str(file)]) == 0
    assert "VERIFIED" in capsys.readouterr().out
    file.write_bytes(b"")
    assert verify([str(file)]) == 1
    assert verify([str(tmp_path / "none")]) == 2
