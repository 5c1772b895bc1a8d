"""Another set of families in the registry, for one test: made of ours, in packages on disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain import registry
from domain.kernel.family import Family

HEAD = 'prefix = "{prefix}"\nopens_at = "{opens_at}"\n'


@contextmanager
def registered(*families: Family) -> Iterator[None]:
    """The registry as if these families were ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "OUR_FAMILIES", families)
        read_anew()
        yield
    read_anew()


def read_anew() -> None:
    """Forget what the registry has read."""
    for each in vars(registry).values():
        if hasattr(each, "cache_clear"):
            each.cache_clear()


def a_programme(
    folder: Path, programme: str, prefix: str, *sets: str, opens_at: str = "2023-01-01T00:00:00-05:00"
) -> Path:
    """A programme's folder in the package `folder`, with rule sets of these texts; answers where they are."""
    place = folder / "programmes" / programme
    (place / "sets").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (place / "programme.toml").write_text(HEAD.format(prefix=prefix, opens_at=opens_at))
    for language in ("en", "es"):
        (place / f"words.{language}.toml").write_text('title = "Somewhere"\n')
    for text in sets:
        version = text.partition('version = "')[2][:10]
        (place / "sets" / f"{version}.toml").write_text(text)
    return place
