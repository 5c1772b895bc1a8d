"""What a benchmark reports: pairs of rates measured in turn in one run, and the median of their ratios."""

from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Ratio:
    """`pairs` are (ours, theirs) in `unit`, alternated, so that a change of the machine's speed meets both."""

    name: str
    unit: str
    pairs: tuple[tuple[float, float], ...]
    at_least: float
    """The budget (design.md, "Budgets")."""

    @property
    def ratio(self) -> float:
        """The median over the pairs of ours to theirs."""
        return median(ours / theirs for ours, theirs in self.pairs)

    @property
    def is_met(self) -> bool:
        """Whether the budget holds."""
        return self.ratio >= self.at_least

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": self.name,
            "unit": self.unit,
            "ratio": round(self.ratio, 3),
            "at_least": self.at_least,
            "met": self.is_met,
            "ours": [round(ours, 1) for ours, _ in self.pairs],
            "theirs": [round(theirs, 1) for _, theirs in self.pairs],
        }
