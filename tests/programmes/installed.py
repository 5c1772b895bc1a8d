"""The family of permits as an installed distribution: an entry point that every process finds on its path."""

import os
from pathlib import Path
from typing import Final

from domain import registry

ROOT: Final = Path(__file__).parents[2]
_METADATA: Final = "Metadata-Version: 2.1\nName: passage-permits\nVersion: 1\n"
_ENTRY_POINTS: Final = f"[{registry.GROUP}]\npermits = tests.programmes.permits.definition:FAMILY\n"


def environment(folder: Path) -> dict[str, str]:
    """The environment of a process that finds the distribution, whose metadata are written into `folder`."""
    distribution = folder / "passage_permits-1.dist-info"
    distribution.mkdir()
    (distribution / "METADATA").write_text(_METADATA)
    (distribution / "entry_points.txt").write_text(_ENTRY_POINTS)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])}
