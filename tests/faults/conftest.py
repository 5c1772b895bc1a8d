"""A whole stack shared by the tests that break it; each has a programme and persons of its own."""

import itertools
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.many_programmes import installed, written
from tests.support.whole_stack import DAY_ONE, WholeStack

_NUMBER = itertools.count(1)
YOUNG = timedelta(days=300)
"""Two minutes and a half on an idle machine: a few tests, or the longest of them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A whole stack takes ten times as long on a machine on which much else runs."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(600))


class Stacks:
    """One stack at a time. It grows old: at two domain days a second a child of nineteen is of age in eight minutes."""

    def __init__(self) -> None:
        self._current: tuple[tempfile.TemporaryDirectory[str], WholeStack] | None = None

    def young(self) -> WholeStack:
        """The one there is, up, started again if a test left it down; or a new one if that has become too old."""
        if self._current is not None and self._current[1].domain_now() > DAY_ONE + YOUNG:
            self.close()
        if self._current is None:
            home = tempfile.TemporaryDirectory(prefix="passage faults ", ignore_cleanup_errors=True)
            self._current = home, WholeStack(Path(home.name))
        stack = self._current[1]
        if not stack.is_up:
            stack.start()
        return stack

    def close(self) -> None:
        """Leave nothing behind."""
        if self._current is not None:
            home, stack = self._current
            self._current = None
            stack.close()
            home.cleanup()


@pytest.fixture(scope="session")
def stacks() -> Iterator[Stacks]:
    stacks = Stacks()
    yield stacks
    stacks.close()


@pytest.fixture(scope="session")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the family of the tests' own programmes is."""
    return written(tmp_path_factory.mktemp("distribution"))


@pytest.fixture
def stack(stacks: Stacks, distribution: Path) -> Iterator[WholeStack]:
    """The stack that tests share."""
    with installed(distribution):
        yield stacks.young()


@pytest.fixture
def number() -> int:
    """A number for this test alone: of its programme, and of its persons."""
    return next(_NUMBER)
