"""One whole stack a test process, shared by the tests that break it; each has a programme and persons of its own."""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.whole_stack import WholeStack

_NUMBER = itertools.count(1)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for a stack of the test's own. pytest's are cleaned up by whoever runs next."""
    with tempfile.TemporaryDirectory(prefix="passage faults ", ignore_cleanup_errors=True) as home:
        yield Path(home)


@pytest.fixture(scope="session")
def shared_stack() -> Iterator[WholeStack]:
    with tempfile.TemporaryDirectory(prefix="passage faults ", ignore_cleanup_errors=True) as home:
        stack = WholeStack(Path(home))
        yield stack
        stack.close()


@pytest.fixture
def stack(shared_stack: WholeStack) -> WholeStack:
    """The shared stack, up; what the test before it left of it is started again."""
    if not shared_stack.is_up:
        shared_stack.start()
    return shared_stack


@pytest.fixture
def number() -> int:
    """A number for this test alone: of its programme, and of its persons."""
    return next(_NUMBER)
