"""Many programmes alike, one for each test that ends or suspends its own, in a family that every process finds.

They are what a distribution of somebody else's would bring: a package with `programmes/<id>/` and an entry point.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import ascii_uppercase
from typing import Final

import pytest

from domain import registry
from tests.support.registered import a_programme, read_anew

COUNT: Final = len(ascii_uppercase)
PACKAGE: Final = "many_programmes"
_ROOT: Final = Path(__file__).parents[2]
_LIKE: Final = "venezuela-air"
_RULES: Final = _ROOT / "domain" / "humanitarian_parole" / "programmes" / _LIKE / "sets" / "2022-10-19.toml"
_FAMILY: Final = f"""
from dataclasses import replace
from domain.humanitarian_parole.definition import FAMILY as OURS
FAMILY = replace(OURS, name="{PACKAGE}", package="{PACKAGE}")
"""
_ENTRY_POINTS: Final = f"[{registry.GROUP}]\n{PACKAGE} = {PACKAGE}.definition:FAMILY\n"
_METADATA: Final = f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1\n"


def programme_named(number: int) -> str:
    """The programme of this number, from 1 to `COUNT`."""
    if not 1 <= number <= COUNT:
        raise ValueError(f"there are {COUNT} programmes")
    return f"alike-{number}"


def written(folder: Path) -> Path:
    """The distribution as files in `folder`."""
    package, distribution = folder / PACKAGE, folder / f"{PACKAGE}-1.dist-info"
    rules = _RULES.read_text("utf-8")
    for number, letter in enumerate(ascii_uppercase, start=1):
        name = programme_named(number)
        a_programme(package, name, f"T{letter}T", rules.replace(_LIKE, name), opens_at="2022-10-12T00:00:00-04:00")
    (package / "definition.py").write_text(_FAMILY)
    distribution.mkdir()
    (distribution / "METADATA").write_text(_METADATA)
    (distribution / "entry_points.txt").write_text(_ENTRY_POINTS)
    return folder


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """This process and those that it starts find the distribution there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(_ROOT), str(folder)]))
        read_anew()
        yield
    for name in [each for each in sys.modules if each.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
    read_anew()
