"""Case ids: human-safe, and a wrong character or an exchange of two is noticed."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.kernel.ids import ALPHABET, CaseId, case_id_from_entropy, event_id, message_command_id, prefix_of

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
    case_id = case_id_from_entropy("VEN", drawn)

    assert CASE_ID.validate_python(case_id) == case_id
    assert len(case_id) == len("VEN-7Q4K-M2XD")


@given(entropy)
def test_each_wrong_character_is_noticed(drawn: bytes) -> None:
    case_id = case_id_from_entropy("VEN", drawn)
    for place in (4, 5, 6, 7, 9, 10, 11, 12):
        for character in set(ALPHABET) - {case_id[place]}:
            assert refused(case_id[:place] + character + case_id[place + 1 :])


@given(entropy)
def test_each_exchange_of_two_characters_is_noticed(drawn: bytes) -> None:
    case_id = case_id_from_entropy("VEN", drawn)
    for one, other in combinations((4, 5, 6, 7, 9, 10, 11, 12), 2):
        if case_id[one] != case_id[other]:
            characters = list(case_id)
            characters[one], characters[other] = characters[other], characters[one]
            assert refused("".join(characters))


def test_no_character_is_easily_taken_for_another() -> None:
    assert not set("0ILOU") & set(ALPHABET)
    assert len(set(ALPHABET)) == 31


@pytest.mark.parametrize(
    "case_id",
    [
        "",
        "VEN-",
        "ven-7q4k-m2xs",
        "VE-7Q4K-M2XS",
        "VENE-7Q4K-M2XS",
        "1EN-7Q4K-M2XS",
        "VEN-7Q4K-M2X",
        "VEN-7Q4K-M2XSH",
        "VEN-7Q0K-M2XS",
        "VEN-7Q4KM2XS\n",
    ],
)
def test_what_only_looks_like_an_id_is_refused(case_id: str) -> None:
    assert refused(case_id)


def test_the_example_of_the_documentation_is_an_id() -> None:
    assert not refused("VEN-7Q4K-M2XS")


@given(entropy)
def test_the_prefix_names_the_programme_and_is_no_part_of_the_check(drawn: bytes) -> None:
    one, other = case_id_from_entropy("VEN", drawn), case_id_from_entropy("C2B", drawn)

    assert (prefix_of(one), prefix_of(other)) == ("VEN", "C2B")
    assert one[3:] == other[3:]
    assert not refused(other)


def test_an_id_needs_enough_randomness() -> None:
    with pytest.raises(ValueError, match="eight random bytes"):
        case_id_from_entropy("VEN", b"7 bytes")


def test_events_and_commands_are_named_by_where_they_stand() -> None:
    assert event_id("VEN-7Q4K-M2XS", 3) == "VEN-7Q4K-M2XS:3"
    assert message_command_id("border", "m-1") == "border:m-1"
