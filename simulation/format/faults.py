"""What is wrong with a scenario file, and where: the file, the line and the key."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: `path` leads to it from the top of its own file; `line` counts from 1."""

    file: str
    line: int
    path: tuple[str | int, ...]

    @property
    def key(self) -> str:
        """The path as text, `applications.a.entries[0].place`; empty for the whole file."""
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
        return text

    def inside(self, key: str | int) -> "Place":
        """The place of `key`, which is not there, in the map that stands here."""
        return Place(self.file, self.line, (*self.path, key))


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong, in words that say how to mend it."""

    place: Place
    message: str

    def __str__(self) -> str:
        key = f"{self.place.key}: " if self.place.key else ""
        return f"{self.place.file}:{self.place.line}: {key}{self.message}"


class MalformedScenario(Exception):
    """One or more scenario files are malformed; `faults` names every one of them, none twice."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(dict.fromkeys(faults))
        super().__init__("\n".join(map(str, self.faults)))
