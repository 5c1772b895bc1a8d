"""Whole cases that were stored once fold to the same state for ever."""

import json
from pathlib import Path

import pytest

from domain.kernel.case import Case
from tests.support.golden_cases import CHOSEN, FOLDER, folded, state_hash

FILES = sorted(FOLDER.glob("*.json"))


def test_every_chosen_case_is_kept() -> None:
    assert {file.stem for file in FILES} == set(CHOSEN)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_stored_case_folds_to_the_state_it_always_had(file: Path) -> None:
    for kept in json.loads(file.read_text()):
        assert state_hash(folded(kept["events"], kept["case_id"])) == kept["state_sha256"], (
            "what was stored would now mean something else: a new meaning is a new schema version with its own step"
        )


def test_the_hash_sees_every_part_of_the_state() -> None:
    kept = json.loads(FILES[0].read_text())[0]
    whole = state_hash(folded(kept["events"], kept["case_id"]))
    hashes = {state_hash(folded(kept["events"][:number], kept["case_id"])) for number in range(1, len(kept["events"]))}
    assert whole not in hashes
    assert len(hashes) == len(kept["events"]) - 1
    assert state_hash(Case(kept["case_id"])) not in hashes
