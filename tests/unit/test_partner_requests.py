"""A request to a partner holds personal data and never shows it."""

import pytest

from domain import registry
from tests.support.partner_calls import APPLICATION, CANARIES, CASE_ID, a_check


def test_a_pydantic_failure_of_a_request_does_not_repeat_it() -> None:
    spoiled = APPLICATION.model_copy(update={"documents": APPLICATION.documents * 101})

    with pytest.raises(ValueError, match="at most 100 items") as raised:
        a_check("entry_records", application=spoiled)

    assert [each for each in CANARIES if each in str(raised.value)] == []


@pytest.mark.parametrize("partner", registry.partners())
def test_the_text_form_of_a_request_shows_only_ids(partner: str) -> None:
    text = f"{a_check(partner)!r} {a_check(partner)}"

    assert CASE_ID in text
    assert [each for each in CANARIES if each in text] == []
