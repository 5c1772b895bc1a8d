"""The rule sets as data: what differs between them, a source for each rule, and a digest that names the content."""

import ast
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from pathlib import Path

import pytest

from domain import registry
from domain.humanitarian_parole.definition import FAMILY
from domain.humanitarian_parole.stages.crossing import IrregularEntry
from domain.humanitarian_parole.stages.mexico_entry import MexicoEntry
from domain.kernel.family import Family
from domain.kernel.rule_set import RuleSet, parse_rule_set, read_rule_set
from domain.programme_files import rule_set_of
from tests.support.given import SETS, changed

ROOT = Path(__file__).parents[2]
EVERY = [(each, rules) for each in registry.programmes().values() for rules in each.sets.values()]
FILES = {
    f"{each.id}-{rules.version}": ROOT
    / each.family.package.replace(".", "/")
    / "programmes"
    / each.id
    / "sets"
    / f"{rules.version}.toml"
    for each, rules in EVERY
}
NOTICE = FILES["venezuela-air-2022-10-19"].read_text()


def test_three_sets_of_the_first_programme_come_with_the_project() -> None:
    assert sorted(SETS) == ["2022-10-12", "2022-10-19", "2023-01-06"]


@pytest.mark.parametrize(
    ("version", "places", "period", "pool", "after"),
    [
        ("2022-10-12", 24_000, "total", "venezuela-air", "2022-10-12"),
        ("2022-10-19", 24_000, "total", "venezuela-air", "2022-10-19"),
        ("2023-01-06", 30_000, "month", "chnv", "2022-10-19"),
    ],
)
def test_what_differs_between_the_sets(version: str, places: int, period: str, pool: str, after: str) -> None:
    rules = SETS[version]

    assert (rules.places, rules.cap_period, rules.caps[0].pool) == (places, period, pool)
    assert rules.of("irregular-entry", IrregularEntry).after == date.fromisoformat(after)


@pytest.mark.parametrize("rules", SETS.values(), ids=SETS)
def test_what_is_the_same_in_all(rules: RuleSet) -> None:
    assert rules.of("mexico-entry", MexicoEntry).before == date(2022, 10, 12)
    assert (rules.days("authorization"), rules.days("extension"), rules.days("extension-notice")) == (90, 90, 30)
    assert (rules.days("evidence"), rules.days("supporter"), rules.days("referral")) == (30, 30, 15)
    assert (rules.days("parole"), rules.days("parole-notice"), rules.days("pause-floor")) == (730, 90, 7)
    assert not rules.applies_to_running


@pytest.mark.parametrize("rules", SETS.values(), ids=SETS)
def test_the_first_programme_tries_every_rule_of_its_family(rules: RuleSet) -> None:
    assert rules.rules.keys() == FAMILY.rules.keys()


@pytest.mark.parametrize("rules", [rules for _, rules in EVERY], ids=FILES)
def test_each_rule_has_its_source_and_text_in_both_languages(rules: RuleSet) -> None:
    for text in rules.rules.values():
        assert text.en.strip()
        assert text.es.strip()
        assert text.source.strip()


@pytest.mark.parametrize(("family", "rules"), [(each.family, rules) for each, rules in EVERY], ids=FILES)
def test_each_rule_is_one_of_its_family_and_has_the_parameters_that_it_reads(family: Family, rules: RuleSet) -> None:
    for name, text in rules.rules.items():
        parameters = family.rules[name].parameters
        assert rules.of(name, parameters) == parameters.model_validate(text.parameters)
        assert text.parameters.keys() <= parameters.model_fields.keys()


@pytest.mark.parametrize(("family", "rules"), [(each.family, rules) for each, rules in EVERY], ids=FILES)
def test_each_set_gives_the_lengths_that_its_family_reads(family: Family, rules: RuleSet) -> None:
    assert rules.limits.keys() == set(family.lengths)


def _lengths_asked_for(package: str) -> Iterator[str]:
    """The argument of each call of `.days(...)` and `.limit(...)` in the modules of a package."""
    for file in (ROOT / package.replace(".", "/")).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(attr="days" | "limit"), args=[ast.Constant(value=str(name))]):
                    yield name
                case ast.Call(func=ast.Attribute(attr="days" | "limit"), args=[ast.Name(id=name)]):
                    module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
                    yield getattr(import_module(module), name)
                case _:
                    pass  # No length is asked for.


def test_the_family_declares_every_length_that_its_code_reads_and_no_other() -> None:
    asked = {*_lengths_asked_for("domain.kernel"), *_lengths_asked_for(FAMILY.package)}

    assert {*asked, "pause-floor"} == set(FAMILY.lengths)


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_a_set_is_the_same_from_its_file_and_from_the_record(file: Path) -> None:
    bundled = parse_rule_set(file.read_text())
    recorded = read_rule_set(bundled.text)

    assert recorded == bundled
    assert recorded.digest == bundled.digest


@pytest.mark.parametrize(
    "change",
    [
        {"applies_to_running": True},
        {"title": "Another"},
        {"limits": {"evidence": 31}},
        {"caps": [{"allotment": "air", "pool": "venezuela-air", "places": 1, "period": "total"}]},
        {"rules": {"vetting": {"en": "Vetting.", "es": "Revisión.", "source": "87 FR 63507"}}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_is_changed_in_a_set_changes_its_digest(change: dict[str, object]) -> None:
    rules = SETS["2022-10-19"]

    assert changed(rules).digest == rules.digest
    assert changed(rules, **change).digest != rules.digest


def test_a_comment_or_another_order_in_the_file_changes_no_digest() -> None:
    head, limits, rest = NOTICE.partition("[limits]")
    before, cut, table = rest.partition("[rules.vetting]")

    assert parse_rule_set(f"# as published\n{head}{cut}{table}\n{limits}{before}").digest == SETS["2022-10-19"].digest


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("evidence = 30", "", "limits.evidence: is missing"),
        ("pause-floor = 7", "", "limits.pause-floor: is missing"),
        ("evidence = 30", "evidence = 30\nevidense = 30", "limits.evidense: is no limit of this family"),
        ("evidence = 30", "evidence = -1", "limits.evidence: Input should be greater than or equal to 0"),
        ("evidence = 30", 'evidence = "long"', "limits.evidence: Input should be a valid integer"),
        ("[rules.vetting]", "[rules.veting]", "rules.veting: is no rule of this family"),
        ("review_from_case = 20", "", "rules.supporter.review_from_case: Field required"),
        ("review_from_case = 20", "review_from_case = 20\nmost = 3", "rules.supporter.most: is no parameter"),
        ("after = 2022-10-19", 'after = "soon"', "rules.irregular-entry.after: Input should be a valid date"),
        ('version = "2022-10-19"', 'version = "first"', "version: String should match pattern"),
        ('version = "2022-10-19"', "", "version: Field required"),
        ('programme = "venezuela-air"', 'programme = "cuba-air"', "programme: names cuba-air instead of venezuela-air"),
        ("applies_to_running", "applies_to_all", "applies_to_all: Extra inputs are not permitted"),
        ("[[caps]]", "[[caps]", r"Expected '\]\]'|Invalid|Expected"),
    ],
)
def test_a_set_that_does_not_fit_its_family_is_refused_with_the_key_and_the_reason(
    old: str, new: str, reason: str
) -> None:
    assert old in NOTICE

    with pytest.raises(ValueError, match=reason):
        rule_set_of(FAMILY, "venezuela-air", NOTICE.replace(old, new, 1))


@pytest.mark.parametrize("key", ["en", "es", "source"])
def test_a_rule_without_a_source_or_a_text_is_no_rule_set(key: str) -> None:
    before, table, text = NOTICE.partition("[rules.vetting]")
    lines = [line for line in text.splitlines() if not line.startswith(f"{key} =")]

    with pytest.raises(ValueError, match=rf"rules\.vetting\.{key}: Field required"):
        rule_set_of(FAMILY, "venezuela-air", "\n".join([before, table, *lines]))


def test_what_is_not_toml_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid value"):
        parse_rule_set("version = ")
