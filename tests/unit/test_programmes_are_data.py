"""A programme is a folder of data: another one is found and played without a line of Python."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain import registry
from domain.humanitarian_parole.definition import FAMILY
from domain.humanitarian_parole.stages.filing import ApplicationFiled, ApplicationSubmitted
from domain.humanitarian_parole.stages.sponsor import SponsorConfirmationRequested
from domain.kernel.case import Case
from domain.kernel.events import CaseClosed
from domain.kernel.ids import case_id_from_entropy
from domain.kernel.messages import FileApplication
from domain.kernel.proof import claimed
from process.config import Settings
from tests.support.filed import a_beneficiary, a_passport, an_application
from tests.support.given import Given, a_world, happened, opened, plus
from tests.support.registered import registered

ROOT = Path(__file__).parents[2]
CUBA = ROOT / "domain/humanitarian_parole/programmes/cuba-air"
DEFINITION = """\
from dataclasses import replace
from domain.humanitarian_parole.definition import FAMILY as OURS
FAMILY = replace(OURS, name="elsewhere", package=__package__)
"""


@pytest.fixture
def honduras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A distribution with Cuba's folder under another name, country and prefix; found as if it were installed."""
    package = f"passage_elsewhere_{tmp_path.name.replace('-', '_')}"
    place = tmp_path / package / "programmes" / "honduras-air"
    shutil.copytree(CUBA, place)
    for file in place.rglob("*.toml"):
        text = file.read_text("utf-8")
        file.write_text(text.replace("cuba-air", "honduras-air").replace('"CUB"', '"HND"'), "utf-8")
    (tmp_path / package / "__init__.py").touch()
    (tmp_path / package / "definition.py").write_text(DEFINITION)
    installed = tmp_path / f"{package}-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(f"[{registry.GROUP}]\nelsewhere = {package}.definition:FAMILY\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with registered(FAMILY):
        yield "honduras-air"


@pytest.mark.parametrize(("country", "last"), [("HND", SponsorConfirmationRequested), ("CUB", CaseClosed)])
def test_a_copied_programme_is_found_and_decides_by_its_own_rules(honduras: str, country: str, last: type) -> None:
    definition = registry.programme(honduras)
    rules = definition.sets["2023-01-06"]
    case_id = case_id_from_entropy(definition.prefix, b"a case of the copy")
    passport = a_passport(issuing_country=country)
    applied = an_application(a_beneficiary(nationalities=(country,), passport=passport, located_in=country))
    filed_at = plus(definition.opens_at, days=10)
    filing = ApplicationSubmitted(application=applied)
    command = FileApplication(case_id, "supporter", "filing", filing, filed_at, claimed("supporter"))

    decided = Given(Case(case_id)).when(command, a_world(filed_at, rules=rules, programme=opened(rules)))
    decided.then(ApplicationFiled, happened(last, reason="nationality") if last is CaseClosed else last)
    assert case_id.startswith("HND-")
    assert registry.programme_of(case_id).family.name == "elsewhere"


@pytest.mark.parametrize("programme", sorted({*registry.programmes()} - {Settings.model_fields["programme"].default}))
def test_no_program_names_a_programme_but_the_default(programme: str) -> None:
    folders = [each.parent for each in ROOT.glob("*/__init__.py") if each.parent.name != "tests"]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    assert len(files) > 100
    named = [file for file in files if programme.removesuffix("-air") in file.read_text("utf-8").lower()]
    assert named == []
