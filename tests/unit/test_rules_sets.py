"""The rule sets as data: what differs between them, a source for each rule, and a digest that names the content."""

from typing import get_args

import pytest
from domain.rules.rule_set import bundled_rule_book

from domain.kernel.ids import Code
from domain.kernel.rule_set import RuleSet, parse_rule_set

BOOK = bundled_rule_book()


def test_three_sets_come_with_the_project() -> None:
    assert sorted(BOOK) == ["2022-10-12", "2022-10-19", "2023-01-06"]


@pytest.mark.parametrize(
    ("version", "places", "period", "after"),
    [
        ("2022-10-12", 24_000, "total", "2022-10-12"),
        ("2022-10-19", 24_000, "total", "2022-10-19"),
        ("2023-01-06", 30_000, "month", "2022-10-19"),
    ],
)
def test_what_differs_between_the_sets(version: str, places: int, period: str, after: str) -> None:
    rules = BOOK[version]

    assert (rules.places, rules.cap_period, rules.irregular_entry_after.isoformat()) == (places, period, after)


@pytest.mark.parametrize("rules", BOOK.values(), ids=BOOK)
def test_what_is_the_same_in_all(rules: RuleSet) -> None:
    assert rules.mexico_entry_before.isoformat() == "2022-10-12"
    assert (rules.authorization_days, rules.extension_days, rules.extension_notice_days) == (90, 90, 30)
    assert (rules.evidence_limit_days, rules.supporter_limit_days, rules.referral_limit_days) == (30, 30, 15)
    assert (rules.parole_days, rules.parole_notice_days, rules.pause_floor_days) == (730, 90, 7)
    assert not rules.applies_to_running


@pytest.mark.parametrize("rules", BOOK.values(), ids=BOOK)
def test_each_rule_has_its_source_and_text_in_both_languages(rules: RuleSet) -> None:
    assert set(rules.rules) == set(get_args(Code))
    for text in rules.rules.values():
        assert text.en.strip()
        assert text.es.strip()
        assert text.source.strip()


def test_another_parameter_is_another_digest() -> None:
    rules = BOOK["2022-10-19"]

    assert rules.digest == RuleSet.model_validate(rules.model_dump()).digest
    assert (
        rules.model_copy(update={"places": 1}).model_validate(rules.model_dump() | {"places": 1}).digest != rules.digest
    )


def test_a_rule_without_a_source_is_no_rule_set() -> None:
    rules = BOOK["2022-10-19"].model_dump(mode="json")
    del rules["rules"]["vetting"]

    with pytest.raises(ValueError, match="no text and source for vetting"):
        RuleSet.model_validate(rules)


def test_what_is_not_toml_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid value"):
        parse_rule_set("version = ")
