"""By what a sender was known, and who acted because of it."""

import pytest

from domain.kernel.proof import CLOCK, Proof, claimed, normal

PROOFS = [
    ("key:border:5f3a91c2", Proof("key", "border", "5f3a91c2"), "border", None),
    ("token:s-3fa9:officer", Proof("token", "s-3fa9", "officer"), "officer:s-3fa9", "s-3fa9"),
    ("token:s-1:partner:carrier", Proof("token", "s-1", "partner:carrier"), "partner:carrier:s-1", None),
    ("operator:s-1:officer", Proof("operator", "s-1", "officer"), "officer:s-1", "s-1"),
    ("asked:vetting:5f3a91c2", Proof("asked", "vetting", "5f3a91c2"), "vetting", None),
    ("key:officer:5f3a91c2", Proof("key", "officer", "5f3a91c2"), "officer", None),
    ("clock", CLOCK, "passage", None),
    ("none:vetting", claimed("vetting"), "vetting", None),
    ("none:officer:o-1", claimed("officer", "O-1"), "officer:o-1", "o-1"),
    ("none:applicant:o-1", claimed("applicant", "o-1"), "applicant:o-1", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "proof", "actor", "officer"), PROOFS)
def test_the_actor_and_the_officer_follow_from_the_proof(
    text: str, proof: Proof, actor: str, officer: str | None
) -> None:
    assert (str(proof), Proof.parse(text)) == (text, proof)
    assert (proof.actor, proof.officer) == (actor, officer)


def test_two_ways_to_write_a_subject_are_one_person() -> None:
    assert normal(" O-1 ") == normal("o-1")
