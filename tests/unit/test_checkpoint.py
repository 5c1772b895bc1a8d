"""Signed notes and checkpoints in the formats of C2SP, which other tools read and write."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit.log.checkpoints import Checkpoint
from audit.log.log_key import FOLDER, FileLogKey, FormerVerifier, LogKeyMissing, LogKeys, make_log_key, read_verifiers
from audit.log.notes import Note, NoteForged, NoteMalformed, Verifier

VERIFIER = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
"""The example of c2sp.org/signed-note."""
WITNESSED = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501  as published
"""The example of c2sp.org/tlog-cosignature: a checkpoint with a witness's line."""


def test_the_published_note_verifies() -> None:
    verifier = Verifier.parse(VERIFIER)
    assert Note.parse(NOTE).verified_by([verifier]) == ("example.com/foo",)
    assert str(verifier) == VERIFIER
    assert str(Note.parse(NOTE)) == NOTE


@pytest.mark.parametrize("change", [("example message", "exemplary message"), ("Uw2QOkn8", "Uw2QOkn9")])
def test_a_changed_note_does_not(change: tuple[str, str]) -> None:
    with pytest.raises(NoteForged, match="does not verify"):
        Note.parse(NOTE.replace(*change)).verified_by([Verifier.parse(VERIFIER)])


def test_a_note_that_nobody_known_signed_is_refused() -> None:
    with pytest.raises(NoteForged, match="no known key"):
        Note.parse(WITNESSED).verified_by([Verifier.parse(VERIFIER)])


def test_the_published_checkpoint_is_read_with_its_witness() -> None:
    note = Note.parse(WITNESSED)
    checkpoint = Checkpoint.parse(note.text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text == note.text
    assert [line.name for line in note.signatures] == ["example.com/behind-the-sofa", "witness.example.com/w1"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\nno dash\n",
        "text\n\n— name\n",
        "text\n\n— name !!!\n",
        "text\n\n— na+me AAAAAAAA\n",
        "text\n\n— name AAAAAAAA",
        "te\x00xt\n\n— name AAAAAAAA\n",
    ],
)
def test_what_is_no_note(content: str) -> None:
    with pytest.raises(NoteMalformed):
        Note.parse(content)


@pytest.mark.parametrize(
    "text",
    [
        "origin\n1\n",
        "origin\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "origin\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "origin\n1\nAAAA\n",
        "origin\n1\nno base64\n",
    ],
)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(NoteMalformed):
        Checkpoint.parse(text)


@pytest.mark.parametrize("text", ["", "name", "name+00000000+AA==", VERIFIER.replace("530d903a", "530d903b")])
def test_what_is_no_verifier_key(text: str) -> None:
    with pytest.raises(NoteMalformed):
        Verifier.parse(text)


async def test_the_key_of_a_log_is_made_once_and_kept(tmp_path: Path) -> None:
    key = make_log_key(tmp_path, "passage/test")
    checkpoint = Checkpoint("passage/test", 3, bytes(32))
    note = await key.sign(checkpoint.text)
    again = make_log_key(tmp_path, "another name is not asked")
    assert again.verifier == key.verifier == LogKeys.parse(read_verifiers(tmp_path)).verifier
    assert note.verified_by([again.verifier]) == ("passage/test",)
    assert (tmp_path / FOLDER).stat().st_mode & 0o777 == 0o700
    assert (tmp_path / FOLDER / "signer").stat().st_mode & 0o777 == 0o600
    assert (
        (tmp_path / FOLDER / "signer").read_text().startswith(f"PRIVATE+KEY+passage/test+{key.verifier.key_id.hex()}+")
    )


async def test_the_key_remembers_what_it_signed_last(tmp_path: Path) -> None:
    key = make_log_key(tmp_path, "passage/test")
    assert await key.last_signed() is None
    note = await key.sign(Checkpoint("passage/test", 3, bytes(32)).text)
    await key.remember(note)
    assert await FileLogKey(tmp_path).last_signed() == note
    assert sorted(file.name for file in (tmp_path / FOLDER).iterdir()) == ["last-checkpoint", "signer", "verifier"]


def test_a_folder_without_a_key_has_none_and_gets_none(tmp_path: Path) -> None:
    assert read_verifiers(tmp_path) == ()
    with pytest.raises(LogKeyMissing, match="log-key-missing"):
        FileLogKey(tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_the_moment_of_signing_is_signed(tmp_path: Path) -> None:
    key, at = make_log_key(tmp_path, "passage/test"), datetime(2022, 11, 1, 12, 0, 0, 5, tzinfo=UTC)
    note = await key.sign(Checkpoint("passage/test", 3, bytes(32), at).text)
    assert Checkpoint.parse(note.text).signed_at == at
    assert note.text.endswith("\ntime 2022-11-01T12:00:00.000005Z\n")
    with pytest.raises(NoteForged, match="does not verify"):
        Note.parse(str(note).replace("2022-11-01", "2022-11-02")).verified_by([key.verifier])


@pytest.mark.parametrize("time", ["yesterday", "2022-11-01", "2022-11-01T12:00:00", "2022-11-01T12:00:00+00:00"])
def test_what_is_no_moment_of_signing(time: str) -> None:
    with pytest.raises(NoteMalformed, match="time"):
        Checkpoint.parse(f"{Checkpoint('origin', 1, bytes(32)).text}time {time}\n")


async def test_while_keys_change_both_sign_and_then_the_old_one_counts_up_to_its_size(tmp_path: Path) -> None:
    old, new = make_log_key(tmp_path / "old", "passage/test"), make_log_key(tmp_path / "new", "passage/test")
    folder = tmp_path / "old" / FOLDER
    (folder / "next-signer").write_text((tmp_path / "new" / FOLDER / "signer").read_text())
    both = await FileLogKey(tmp_path / "old").sign(Checkpoint("passage/test", 3, bytes(32)).text)
    for key in (old, new):
        assert LogKeys(key.verifier).opened(both).size == 3
    (folder / "next-signer").rename(folder / "signer")
    (folder / "former-verifiers").write_text(f"{old.verifier} 3\n")
    assert FileLogKey(tmp_path / "old").verifier == new.verifier
    keys = LogKeys.parse(read_verifiers(tmp_path / "old"))
    assert keys == LogKeys(new.verifier, (FormerVerifier(old.verifier, 3),))
    assert keys.opened(await old.sign(Checkpoint("passage/test", 3, bytes(32)).text)).size == 3
    with pytest.raises(NoteForged, match="no known key"):
        keys.opened(await old.sign(Checkpoint("passage/test", 4, bytes(32)).text))


def test_the_next_key_must_be_one_of_this_log(tmp_path: Path) -> None:
    make_log_key(tmp_path / "old", "passage/test")
    make_log_key(tmp_path / "new", "passage/another")
    stranger = (tmp_path / "new" / FOLDER / "signer").read_text()
    (tmp_path / "old" / FOLDER / "next-signer").write_text(stranger)
    with pytest.raises(NoteMalformed, match="another name"):
        FileLogKey(tmp_path / "old")


@pytest.mark.parametrize("lines", [[], [f"{VERIFIER} 3"], [VERIFIER, f"{VERIFIER} all"], [VERIFIER, f"{VERIFIER} -1"]])
def test_what_are_no_keys_of_a_log(lines: list[str]) -> None:
    with pytest.raises(NoteMalformed):
        LogKeys.parse(lines)
