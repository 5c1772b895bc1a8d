"""By which proof a sender was known, from what the inbox recorded of it."""

import pytest
from eventstore.format.proof import CLOCK, Proof, proof_of


@pytest.mark.parametrize(
    ("sender", "proof"),
    [
        ("signed:border:5f3a", Proof("key", "border:5f3a")),
        ("token:o-17", Proof("token", "o-17")),
        ("asked:vetting", Proof("asked", "vetting")),
        ("officer:o-17", Proof("operator", "o-17")),
        ("auditor:a-3", Proof("operator", "a-3")),
        ("passage", CLOCK),
        ("unsigned:border", Proof("none", "unsigned:border")),
        ("temporal:me@host", Proof("none", "temporal:me@host")),
        ("signed:", Proof("none", "signed:")),
        ("", Proof("none")),
    ],
)
def test_a_recorded_sender_stands_for_one_proof(sender: str, proof: Proof) -> None:
    assert proof_of(sender) == proof


def test_a_proof_is_written_with_its_kind_first() -> None:
    assert [str(each) for each in (Proof("key", "border:5f3a"), CLOCK)] == ["key:border:5f3a", "clock"]
