"""The registry: which families and programmes there are, and what is refused when they are read."""

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from domain import registry
from domain.humanitarian_parole.definition import FAMILY
from domain.kernel.definition import Stage, Words, event
from domain.kernel.events import CaseEvent
from domain.kernel.family import Family
from domain.kernel.ids import case_id_from_entropy
from tests.support.given import RULES
from tests.support.registered import a_programme, registered

NOTICE = (
    Path(__file__).parents[2] / "domain/humanitarian_parole/programmes/venezuela-air/sets/2022-10-19.toml"
).read_text()
ABROAD = NOTICE.replace('programme = "venezuela-air"', 'programme = "chile-air"')

Elsewhere = Callable[..., tuple[Family, Path]]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    """Makes a family like ours under another name, in a package of its own with one programme."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def made(
        *sets: str, name: str = "abroad", programme: str = "chile-air", prefix: str = "CHL"
    ) -> tuple[Family, Path]:
        package = f"passage_{name}_{tmp_path.name}"
        place = a_programme(tmp_path / package, programme, prefix, *(sets or (ABROAD,)))
        return replace(FAMILY, name=name, package=package), place

    return made


def refusal() -> str:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # its text is what the tests look at
        registry.programmes()
    return str(refused.value)


def test_our_programmes() -> None:
    assert {each.id: each.prefix for each in registry.programmes().values()} == {
        "cuba-air": "CUB",
        "haiti-air": "HTI",
        "nicaragua-air": "NIC",
        "venezuela-air": "VEN",
    }
    assert all(each.family is FAMILY for each in registry.programmes().values())


@pytest.mark.parametrize("programme", registry.programmes())
def test_a_programme_has_the_same_words_in_both_languages(programme: str) -> None:
    words = registry.programme(programme).words

    assert words["en"].keys() == words["es"].keys() != set()


@pytest.mark.parametrize("programme", registry.programmes())
def test_a_case_id_finds_its_programme_and_its_family(programme: str) -> None:
    case_id = case_id_from_entropy(registry.programme(programme).prefix, b"any case at all")

    assert registry.programme_of(case_id).id == programme
    assert registry.family_of(case_id) is FAMILY


def test_an_unknown_prefix_or_id_is_no_programme() -> None:
    stranger = case_id_from_entropy("XYZ", b"any case at all")

    for asked in (registry.programme_of, registry.family_of):
        with pytest.raises(registry.UnknownProgramme, match="XYZ"):
            asked(stranger)
    with pytest.raises(registry.UnknownProgramme, match="atlantis-air"):
        registry.programme("atlantis-air")


def test_a_family_of_another_distribution_is_found(elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    other, place = elsewhere()
    module = place.parents[1] / "definition.py"
    module.write_text(
        "from dataclasses import replace\n"
        "from domain.humanitarian_parole.definition import FAMILY as OURS\n"
        f'FAMILY = replace(OURS, name="abroad", package="{other.package}")\n'
    )
    found = EntryPoint("abroad", f"{other.package}.definition:FAMILY", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [found] if group == registry.GROUP else [])

    with registered(FAMILY):
        assert [each.name for each in registry.families()] == ["humanitarian_parole", "abroad"]
        chilean = registry.programme_of(case_id_from_entropy("CHL", b"any case at all"))
        assert (chilean.id, chilean.family.name) == ("chile-air", "abroad")
        assert chilean.sets["2022-10-19"].digest != RULES.digest


def test_two_families_of_one_name_are_refused(elsewhere: Elsewhere) -> None:
    other, _ = elsewhere(name="humanitarian_parole")

    with registered(FAMILY, other):
        assert refusal() == (
            f"humanitarian_parole is the name of two: in domain.humanitarian_parole and in {other.package}"
        )


def test_two_events_of_one_name_are_refused(elsewhere: Elsewhere) -> None:
    other, _ = elsewhere()
    another = type("Waitlisted", (CaseEvent,), {"__doc__": "Of another meaning.", "__module__": "abroad.events"})
    stage = Stage(name=None, events=(event(another, lambda case, _: case, Words("x", "x")),))

    with registered(FAMILY, replace(other, stages=(*other.stages, stage))):
        assert refusal() == (
            "Waitlisted is the name of two: in domain.humanitarian_parole.stages.travel.events and in abroad.events"
        )


@pytest.mark.parametrize(
    ("programme", "prefix", "reason"),
    [
        ("chile-air", "VEN", "VEN is the name of two: in venezuela-air and in chile-air"),
        ("cuba-air", "CHL", "cuba-air is the name of two: in domain.humanitarian_parole and in passage_abroad"),
    ],
)
def test_two_programmes_of_one_prefix_or_id_are_refused(
    elsewhere: Elsewhere, programme: str, prefix: str, reason: str
) -> None:
    other, _ = elsewhere(ABROAD.replace("chile-air", programme), programme=programme, prefix=prefix)

    with registered(FAMILY, other):
        assert refusal().startswith(reason)


def test_a_set_that_names_another_programme_is_refused_with_its_file(elsewhere: Elsewhere) -> None:
    other, _ = elsewhere(NOTICE)

    with registered(other):
        assert refusal() == (
            f"{other.package}/programmes/chile-air/sets/2022-10-19.toml: "
            "programme: names venezuela-air instead of chile-air"
        )


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("sets/2022-10-19.toml", "parole = 730", "", "limits.parole: is missing"),
        ("sets/2022-10-19.toml", "[rules.vetting]", "[rules.veting]", "rules.veting: is no rule of this family"),
        ("sets/2022-10-19.toml", "\nyears = 5", "", "rules.removal-order.years: Field required"),
        ("sets/2022-10-19.toml", "[limits]", "[limits", "Expected ']' at the end of a table declaration"),
        ("sets/2022-10-19.toml", "2022-10-19", "2022-10-20", "version: the file of 2022-10-20 has this name"),
        ("programme.toml", '"CHL"', '"chl"', "prefix: String should match pattern"),
        ("programme.toml", '"2023-01-01T00:00:00-05:00"', '"2023-01-01T00:00:00"', "opens_at: Input should have timez"),
        ("programme.toml", "prefix", "prefixes", "prefix: Field required"),
        ("words.es.toml", '"Somewhere"', "7", "title: Input should be a valid string"),
    ],
)
def test_a_malformed_file_is_refused_with_its_name_the_key_and_the_reason(
    elsewhere: Elsewhere, file: str, old: str, new: str, reason: str
) -> None:
    other, place = elsewhere()
    text = (place / file).read_text()
    assert old in text
    (place / file).write_text(text.replace(old, new, 1))

    with registered(FAMILY, other):
        assert refusal().startswith(f"{other.package}/programmes/chile-air/{file}: {reason}")


def test_a_folder_that_cannot_be_a_programmes_id_is_refused(elsewhere: Elsewhere) -> None:
    other, _ = elsewhere(programme="Chile")

    with registered(FAMILY, other):
        assert refusal().startswith(f"{other.package}/programmes/Chile: ")
