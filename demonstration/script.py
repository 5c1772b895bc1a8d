"""The script: which stories are told when so many cases are wanted.

No expectation rests on a margin below a second: where people must act in time, a limit of 30 days or more is theirs,
three seconds at the usual speed, and they act as soon as they are asked.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Final

from demonstration.outcomes import OUTCOMES
from demonstration.second_part import NAMES, second_part
from demonstration.story import Script, Story
from demonstration.variations import VARIATIONS

ALL_OUTCOMES: Final = len(OUTCOMES) + len(NAMES)
"""So many cases show every outcome; fewer show the first of them."""
_COPIES_FROM_PERSON: Final = 1000


def script_of(cases: int) -> Script:
    """A script of so many cases: outcomes, the waiting list and its end, variations, then more of the same."""
    first = [*OUTCOMES[:cases]]
    with_second_part = cases >= ALL_OUTCOMES
    room = cases - len(first) - (len(NAMES) if with_second_part else 0)
    if room > 0:
        first += [story for story, _ in zip(_more(), range(room), strict=False)]
    if not with_second_part:
        return Script(tuple(first), ())
    stories, acts = second_part(tuple(story.name for story in first))
    return Script((*first, *stories), acts)


def _more() -> Iterator[Story]:
    yield from VARIATIONS
    plain = [story for story in (*OUTCOMES, *VARIATIONS) if not story.gates and not _names_a_person(story)]
    for number in count():
        round_number, index = divmod(number, len(plain))
        story = plain[index]
        yield replace(story, name=f"{story.name} ({round_number + 2})", person=_COPIES_FROM_PERSON + number)


def _names_a_person(story: Story) -> bool:
    """A move that brings a passport or a supporter of its own cannot be made twice."""
    return any(move.message in ("passport.changed", "sponsor.replaced") for move in story.moves)
