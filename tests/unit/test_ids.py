"""Case ids: human-safe, and a wrong sign or an exchange of two is noticed."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.kernel.ids import ALPHABET, CaseId, case_id_from_entropy, event_id, message_command_id

CASE_ID: TypeAdapter[str] = TypeAdapter(CaseId)
entropy = st.binary(min_size=8, max_size=16)


def refused(case_id: str) -> bool:
    try:
        CASE_ID.validate_python(case_id)
    except ValidationError:
        return True
    return False


@given(entropy)
def test_a_drawn_id_is_an_id(drawn: bytes) -> None:
    case_id = case_id_from_entropy(drawn)

    assert CASE_ID.validate_python(case_id) == case_id
    assert len(case_id) == len("VEN-7Q4K-M2XD")


@given(entropy)
def test_each_wrong_sign_is_noticed(drawn: bytes) -> None:
    case_id = case_id_from_entropy(drawn)
    for place in (4, 5, 6, 7, 9, 10, 11, 12):
        for sign in set(ALPHABET) - {case_id[place]}:
            assert refused(case_id[:place] + sign + case_id[place + 1 :])


@given(entropy)
def test_each_exchange_of_two_signs_is_noticed(drawn: bytes) -> None:
    case_id = case_id_from_entropy(drawn)
    for one, other in combinations((4, 5, 6, 7, 9, 10, 11, 12), 2):
        if case_id[one] != case_id[other]:
            signs = list(case_id)
            signs[one], signs[other] = signs[other], signs[one]
            assert refused("".join(signs))


def test_no_sign_is_easily_taken_for_another() -> None:
    assert not set("0ILOU") & set(ALPHABET)
    assert len(set(ALPHABET)) == 31


@pytest.mark.parametrize(
    "case_id",
    ["", "VEN-", "ven-7q4k-m2xs", "COL-7Q4K-M2XS", "VEN-7Q4K-M2X", "VEN-7Q4K-M2XSH", "VEN-7Q0K-M2XS", "VEN-7Q4KM2XS\n"],
)
def test_what_only_looks_like_an_id_is_refused(case_id: str) -> None:
    assert refused(case_id)


def test_the_example_of_the_documentation_is_an_id() -> None:
    assert not refused("VEN-7Q4K-M2XS")


def test_an_id_needs_enough_randomness() -> None:
    with pytest.raises(ValueError, match="eight random bytes"):
        case_id_from_entropy(b"7 bytes")


def test_events_and_commands_are_named_by_where_they_stand() -> None:
    assert event_id("VEN-7Q4K-M2XS", 3) == "VEN-7Q4K-M2XS:3"
    assert message_command_id("border", "m-1") == "border:m-1"
