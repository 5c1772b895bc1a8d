"""The embedded Postgres opens root's folders to its own user alone."""

import os
from pathlib import Path

import pytest

from stack.postgres.files import PostgresFailed, RunAs, make_reachable

NOBODY = RunAs(65534, 65534)
AS_ROOT = os.geteuid() == 0


def test_a_closed_folder_is_opened_to_one_group_and_not_to_everybody(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "stack").mkdir(parents=True)
    home.chmod(0o700)
    if not AS_ROOT:
        with pytest.raises(PermissionError):  # nobody but root runs Postgres as somebody else
            make_reachable(home / "stack" / "data", NOBODY)
        return
    make_reachable(home / "stack" / "data", NOBODY)
    found = home.stat()
    assert (found.st_mode & 0o777, found.st_gid) == (0o710, NOBODY.gid)
    home.chmod(0o700)  # as pytest and others do to folders of theirs
    make_reachable(home / "stack" / "data", NOBODY)
    assert home.stat().st_mode & 0o777 == 0o710


def test_a_folder_of_somebody_else_is_left_as_it_is(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o700)
    if AS_ROOT:
        os.chown(home, 12345, 12345)
    strange = NOBODY if AS_ROOT else RunAs()
    with pytest.raises(PostgresFailed, match="is closed to the user"):
        make_reachable(home / "data", strange)
    assert home.stat().st_mode & 0o777 == 0o700
