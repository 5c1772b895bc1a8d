"""The search for personal words finds them however they are written: what it does not find is not there."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.canary import WORDS, files_with, found_in


@pytest.mark.parametrize("word", WORDS)
def test_every_spelling_is_found(word: str) -> None:
    written = [word.encode(), word.upper().encode(), word.lower().encode(), word.encode("utf-16-le")]
    written += [json.dumps(word).encode(), quote(word).encode(), word.encode().hex().encode()]
    written += [base64.b64encode(b"x" * lead + word.encode() + b"y" * 5) for lead in range(3)]
    for content in written:
        assert word in found_in(b"before " + content + b" after"), content


def test_what_is_not_there_is_not_found() -> None:
    assert found_in(json.dumps({"case": "VEN-7Q4K-M2XD", "numbers": list(range(1000))}).encode()) == set()


def test_files_are_searched_but_for_the_folders_skipped(tmp_path: Path) -> None:
    for folder in ("logs", "partners"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_bytes(bytes(9000) + b"Wyvernhollow" + bytes(9000))
    assert files_with(tmp_path, WORDS, skipped={"partners"}) == {"logs/file": {"Wyvernhollow"}}
