"""The locks hold what pyproject.toml asks for, name no host, and agree with one another; all of it seen offline."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {
    "deploy/requirements.lock": ("build",),
    "requirements.lock": ("build", "embedded"),
    "requirements-dev.lock": ("build", "embedded", "dev"),
}


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", (ROOT / lock).read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", EXTRAS)
def test_every_requirement_is_pinned_to_a_version_that_satisfies_it(lock: str) -> None:
    wanted = [
        *PROJECT["dependencies"],
        *(line for extra in EXTRAS[lock] for line in PROJECT["optional-dependencies"][extra]),
    ]
    locked = pins(lock)
    for requirement in map(Requirement, wanted):
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert name in locked, f"{lock} lacks {name}: run make lock"
        assert requirement.specifier.contains(locked[name]), f"{lock} has {name} {locked[name]}: run make lock"


@pytest.mark.parametrize("lock", EXTRAS)
def test_every_locked_file_has_a_hash_and_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^--?\w", text, re.MULTILINE)
    for entry in re.split(r"\n(?=[a-z])", text.strip()):
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_what_is_deployed_is_what_was_tested() -> None:
    tested = pins("requirements-dev.lock")
    assert pins("deploy/requirements.lock").items() <= tested.items()
    assert pins("requirements.lock").items() <= tested.items()


def test_nothing_of_the_embedded_stack_or_of_the_tests_is_deployed() -> None:
    extras = PROJECT["optional-dependencies"]
    unwanted = {Requirement(line).name.lower() for extra in ("embedded", "dev") for line in extras[extra]}
    assert not unwanted & set(pins("deploy/requirements.lock"))
