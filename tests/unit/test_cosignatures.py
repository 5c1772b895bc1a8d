"""Notes with several signatures: witnesses' cosignatures, and a log's two keys while one takes the other's place."""

import os
from pathlib import Path

import pytest

from audit.log.checkpoints import Checkpoint
from audit.log.log_key import FOLDER, FileLogKey, read_verifiers
from audit.log.notes import Note, NoteForged, NoteMalformed, Signature, Verifier
from audit.log.witnesses import Witness, cosigned_at
from audit.verify.record import known_checkpoint
from tests.support.witness import NAME, SIGNED_AT, WitnessOffice

TEXT = Checkpoint("passage/test", 3, bytes(32)).text


async def cosigned(folder: Path, *offices: WitnessOffice) -> tuple[str, Verifier]:
    key = FileLogKey(folder, "passage/test")
    note = str(await key.sign(TEXT))
    return note + "".join(office.line(note) for office in offices), key.verifier


async def test_a_cosignature_verifies_and_says_when_it_was_made(tmp_path: Path) -> None:
    office = WitnessOffice()
    note, verifier = await cosigned(tmp_path, office)
    witness = Witness.parse(office.key)
    assert str(witness) == office.key
    assert Note.parse(note).verified_by([verifier, witness]) == ("passage/test", NAME)
    assert cosigned_at(Note.parse(note).signatures[1].signature) == SIGNED_AT
    assert known_checkpoint(note, verifier, witnesses=(witness,)).size == 3


async def test_lines_of_witnesses_nobody_knows_are_passed_over(tmp_path: Path) -> None:
    note, verifier = await cosigned(tmp_path, WitnessOffice(1), WitnessOffice(2, "another.example.org"))
    assert Note.parse(note).verified_by([verifier]) == ("passage/test",)
    assert known_checkpoint(note, verifier).size == 3


@pytest.mark.parametrize("at", [8, 40, 75])
async def test_a_changed_cosignature_is_forged_moment_and_all(tmp_path: Path, at: int) -> None:
    office = WitnessOffice()
    note, verifier = await cosigned(tmp_path, office)
    line = Note.parse(note).signatures[1]
    content = bytearray(line.key_id + line.signature)
    content[at] ^= 1
    forged = note.replace(str(line), str(Signature(line.name, line.key_id, bytes(content[4:]))))
    with pytest.raises(NoteForged, match="in the name of witness"):
        known_checkpoint(forged, verifier, witnesses=(Witness.parse(office.key),))


async def test_a_cosignature_under_another_checkpoint_is_forged(tmp_path: Path) -> None:
    office = WitnessOffice()
    note, verifier = await cosigned(tmp_path)
    other = str(await FileLogKey(tmp_path, "").sign(Checkpoint("passage/test", 4, bytes(32)).text))
    with pytest.raises(NoteForged):
        Note.parse(note + office.line(other)).verified_by([verifier, Witness.parse(office.key)])


def test_a_key_of_a_log_is_no_witness_and_the_other_way_round(tmp_path: Path) -> None:
    log = str(FileLogKey(tmp_path, "passage/test").verifier)
    with pytest.raises(NoteMalformed, match="type 4"):
        Witness.parse(log)
    with pytest.raises(NoteMalformed, match="type 1"):
        Verifier.parse(WitnessOffice().key)


async def test_while_keys_change_a_note_verifies_by_either(tmp_path: Path) -> None:
    old, new = await in_transition(tmp_path)
    note = await FileLogKey(tmp_path / "old", "passage/test").sign(TEXT)
    assert note.verified_by([old]) == note.verified_by([new]) == ("passage/test",)
    assert note.verified_by([old, new]) == ("passage/test", "passage/test")
    assert [line.key_id for line in note.signatures] == [old.key_id, new.key_id]
    torn = Note(note.text, (note.signatures[0], Signature("passage/test", new.key_id, bytes(64))))
    with pytest.raises(NoteForged):
        torn.verified_by([old, new])


async def test_after_the_change_the_new_key_is_the_logs_and_the_old_one_is_told_beside_it(tmp_path: Path) -> None:
    old, new = await in_transition(tmp_path)
    folder = tmp_path / "old" / FOLDER
    (folder / "next-signer").replace(folder / "signer")
    (folder / "former-verifiers").write_text(f"{old}\n")
    key = FileLogKey(tmp_path / "old", "")
    assert key.verifier == new
    assert read_verifiers(tmp_path / "old") == (new, old)
    assert (await key.sign(TEXT)).verified_by([new]) == ("passage/test",)
    with pytest.raises(NoteForged):
        (await key.sign(TEXT)).verified_by([old])


def test_the_next_key_must_be_one_of_this_log(tmp_path: Path) -> None:
    FileLogKey(tmp_path / "a", "passage/test")
    FileLogKey(tmp_path / "b", "passage/another")
    os.link(tmp_path / "b" / FOLDER / "signer", tmp_path / "a" / FOLDER / "next-signer")
    with pytest.raises(NoteMalformed, match="another name"):
        FileLogKey(tmp_path / "a", "passage/test")


async def in_transition(folder: Path) -> tuple[Verifier, Verifier]:
    """A log whose folder holds the next key; both verifiers."""
    old, new = (FileLogKey(folder / name, "passage/test").verifier for name in ("old", "new"))
    os.link(folder / "new" / FOLDER / "signer", folder / "old" / FOLDER / "next-signer")
    return old, new
