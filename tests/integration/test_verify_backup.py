"""A physical backup is verified without any login, and is left as it was."""

import asyncio
import shutil
import tempfile
from pathlib import Path

import pytest

from cli.main import application, exit_code
from eventstore.postgres.migrate import migrate
from stack.postgres.backup import opened_backup
from stack.postgres.files import PostgresFailed
from stack.postgres.server import EmbeddedPostgres
from tests.support.sealed_log import three_cases


def bytes_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
async def test_a_backup_is_verified_by_whoever_has_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with tempfile.TemporaryDirectory(prefix="passage-backed-up-") as folder:
        home, keys = Path(folder) / "server", Path(folder) / "keys"
        async with EmbeddedPostgres(home, fsync=False) as server:
            url = await server.ensure_database("passage")
            await migrate(url)
            async with three_cases(url, keys) as log:
                await log.attack("DELETE FROM passage.tile")
        backup = Path(folder) / "backup"
        shutil.copytree(home / "data", backup)
        (backup / "pg_hba.conf").write_text("local all all reject\n")
        before = bytes_of(backup)
        monkeypatch.setenv("PASSAGE_KEYS_DIR", str(keys))
        monkeypatch.delenv("PASSAGE_DATABASE_URL", raising=False)
        monkeypatch.setenv("PASSAGE_DATA_DIR", str(Path(folder) / "none"))
        arguments = ["audit", "verify", "--backup", str(backup)]
        code = await asyncio.to_thread(exit_code, lambda: application()(arguments, standalone_mode=False))
        said = capsys.readouterr().out
        assert (code, [line.split()[0] for line in said.splitlines()][:2]) == (1, ["tile-missing", "14"])
        assert bytes_of(backup) == before


async def test_what_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("9\n")
    (tmp_path / "pg_tblspc").mkdir()
    for folder, why in ((tmp_path / "nothing", "no data directory"), (tmp_path, "the backup is of Postgres 9")):
        with pytest.raises(PostgresFailed, match=why):
            async with opened_backup(folder):
                pass
