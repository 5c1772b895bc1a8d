"""What is printed of a run: the sequences that differ, and the words that were reached."""

import json
from collections.abc import Iterator
from typing import Any

from tests.equivalence.driver import Coverage, Parted


def lines_of(parted: Parted) -> Iterator[str]:
    """The requests of a sequence, one a line, and then what differs."""
    yield f"sequence {parted.index} differs after {len(parted.requests)} requests:"
    for request in parted.requests:
        yield "  " + json.dumps({name: value for name, value in request.items() if name != "slot"}, ensure_ascii=False)
    for path, old, new in differences(parted.old, parted.new):
        yield f"  {path or 'reply'}: was {json.dumps(old)}, is {json.dumps(new)}"


_ABSENT = "(absent)"


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two replies differ, as deep as they agree in shape."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted({*old, *new}):
            yield from differences(old.get(name, _ABSENT), new.get(name, _ABSENT), f"{path}.{name}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list):
        for number in range(max(len(old), len(new))):
            was, now = (side[number] if number < len(side) else _ABSENT for side in (old, new))
            yield from differences(was, now, f"{path}[{number}]")
    elif old != new:
        yield path, old, new


def coverage_lines(coverage: Coverage, known: dict[str, list[str]]) -> Iterator[str]:
    """For each kind of word: how many of those known were seen, and which were not."""
    for kind, words in known.items():
        missing = sorted(set(words) - set(coverage.seen.get(kind, ())))
        yield f"{kind}: {len(words) - len(missing)} of {len(words)}" + (
            f", not {', '.join(missing)}" if missing else ""
        )
    for kind in sorted(set(coverage.seen) - set(known)):
        counts = coverage.seen[kind].most_common()
        yield f"{kind}: {len(counts)} words; seldom: " + ", ".join(
            f"{word} ({count})" for word, count in counts[:-4:-1]
        )
