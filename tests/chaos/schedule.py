"""What is done in one run, and when: a pure function of a seed and two counts."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

Span = tuple[float, float]

_CALM_S: Final[Span] = (0.3, 2.5)
"""Between the end of a fault and the next one: the stack is sometimes well again by then and sometimes not."""
_OVERHEAD_S: Final = 2.0
"""What a fault takes on average beyond what it lasts; only to spread the filings over the whole run."""
_PERSONS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault: `after_s` seconds after the one before it has ended."""

    after_s: float
    fault: str
    lasts_s: float


@dataclass(frozen=True, slots=True)
class Filing:
    """One case: filed at `at_s`, and what is said about it is shuffled by `chance`."""

    at_s: float
    life: str
    person: int
    chance: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """One run."""

    seed: int
    filings: tuple[Filing, ...]
    strikes: tuple[Strike, ...]

    @property
    def lasts_s(self) -> float:
        """About how long the faults take."""
        return sum(strike.after_s + strike.lasts_s + _OVERHEAD_S for strike in self.strikes)


def schedule(
    seed: int,
    cases: int,
    faults: int,
    *,
    kinds: Mapping[str, Span],
    once: Mapping[str, Span],
    lives: tuple[str, ...],
) -> Schedule:
    """The run of a seed.

    Args:
        seed: the same one gives the same run.
        cases: how many are filed, all before the last fault.
        faults: how many there are.
        kinds: the faults by name with how long they last; each comes once before one comes again.
        once: those that come a single time, if there are more faults than kinds.
        lives: the kinds of cases.
    """
    chance = random.Random(seed)  # noqa: S311  no secret
    names = [name for name, _ in zip(_again_and_again(chance, tuple(kinds)), range(faults), strict=False)]
    spans = dict(kinds)
    if faults > len(kinds):
        for name, span in once.items():
            names[chance.randrange(faults)] = name
            spans[name] = span
    strikes = tuple(Strike(_within(chance, _CALM_S), name, _within(chance, spans[name])) for name in names)
    drawn = Schedule(seed, (), strikes)
    moments = sorted(chance.uniform(0, drawn.lasts_s * 0.9) for _ in range(cases))
    first = chance.randrange(_PERSONS)
    filings = tuple(
        Filing(round(at_s, 2), life, first + number, chance.randrange(2**32))
        for number, (at_s, life) in enumerate(zip(moments, _again_and_again(chance, lives), strict=False))
    )
    return Schedule(seed, filings, strikes)


def _again_and_again(chance: random.Random, names: tuple[str, ...]) -> Iterator[str]:
    """Each once in a drawn order, then each once more in another."""
    while True:
        yield from chance.sample(names, len(names))


def _within(chance: random.Random, span: Span) -> float:
    return round(chance.uniform(*span), 2)
