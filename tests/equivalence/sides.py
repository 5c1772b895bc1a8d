"""The two sides: the tree of an older commit beside the checkout, each in a process of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "6ddfe6a"
"""The last commit before the domain was moved."""

Json = dict[str, Any]


def commit_is_here() -> bool:
    """Whether the git history of the checkout holds the older commit (a shallow clone does not)."""
    if shutil.which("git") is None:
        return False
    asked = ["git", "-C", str(ROOT), "cat-file", "-e", f"{COMMIT}^{{commit}}"]
    return subprocess.run(asked, check=False, capture_output=True).returncode == 0


@contextmanager
def old_tree() -> Iterator[Path]:
    """The pure packages of the older commit, in a temporary folder."""
    wanted = ["git", "-C", str(ROOT), "archive", COMMIT, "domain", "eventstore"]
    packed = subprocess.run(wanted, check=True, capture_output=True).stdout
    with tempfile.TemporaryDirectory(prefix="passage-equivalence-") as folder:
        with tarfile.open(fileobj=BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def rejection_codes(tree: Path) -> set[str]:
    """Every code that the domain of a tree can reject with."""
    text = "".join(file.read_text("utf-8") for file in (tree / "domain").rglob("*.py"))
    return set(re.findall(r'Rejection\("([a-z-]+)"\)', text))


class Side:
    """A server, and lines to and from it. Leaving the context ends its process."""

    def __init__(self, name: str, tree: Path) -> None:
        path = os.pathsep.join(dict.fromkeys([str(tree), str(ROOT)]))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", f"tests.equivalence.server_{name}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=tree,
            env={**os.environ, "PYTHONPATH": path},
        )
        hello = json.loads(self._line())
        strange = [file for file in hello["files"] if not Path(file).is_relative_to(tree)]
        if strange or not hello["files"]:
            raise RuntimeError(f"the {name} side has not imported its own tree: {strange}")
        self.known: dict[str, list[str]] = hello["known"]

    def send(self, requests: list[Json]) -> None:
        """Send a batch; its replies are read with `replies`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(requests).encode() + b"\n")
        self._process.stdin.flush()

    def replies(self, count: int) -> list[bytes]:
        """The replies to a batch, as text: equal replies are equal text."""
        return [self._line() for _ in range(count)]

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a server ended; its error is printed above")
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


@contextmanager
def both_sides() -> Iterator[tuple[Side, Side, set[str]]]:
    """The older side, the checkout's side, and the older side's rejection codes."""
    with old_tree() as tree, Side("old", tree) as old, Side("new", ROOT) as new:
        yield old, new, rejection_codes(tree)
