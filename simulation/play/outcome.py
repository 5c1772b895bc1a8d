"""What became of a scenario, and where that differs from what it expects."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from domain.kernel.ids import Code
from simulation.format.scenario import Answer, ExpectedCase, ExpectedProgramme, Scenario


class Told(BaseModel):
    """Base of what is printed; its fields are the published result."""

    model_config = ConfigDict(frozen=True)


class CaseOutcome(Told):
    """Where a case stands. All null for an application that was not filed before `until`."""

    case_id: str | None = None
    stage: Code | None = None
    outcome: Code | None = None
    reason: Code | None = None
    waiting_on: Code | None = None
    work_permit: Code | None = None
    authorized_until: datetime | None = None
    """The first instant after the last day, UTC."""
    paroled_until: date | None = None
    events: tuple[str, ...] = ()


class ProgrammeOutcome(Told):
    """Where the programme stands; `authorized` are places taken and not freed."""

    places: int
    authorized: int
    waiting: int


class AnswerOutcome(Told):
    """What one delivery of a timeline message was answered; `case` is null for the programme's own messages."""

    at: datetime
    case: str | None
    message: str
    answer: Answer


class Difference(Told):
    """Where the scenario and what became of it disagree; `case` is null where it is no single case's."""

    case: str | None
    key: str
    expected: Any
    found: Any


class Result(Told):
    """One scenario's result, as printed."""

    scenario: str
    ok: bool
    differences: tuple[Difference, ...]
    cases: dict[str, CaseOutcome]
    programme: ProgrammeOutcome | None
    """Null only where the scenario could not be run to its end."""
    answers: tuple[AnswerOutcome, ...]


_PLAIN_KEYS: Final = (
    "stage", "outcome", "reason", "waiting_on", "work_permit", "authorized_until", "paroled_until",
)  # fmt: skip


def case_differences(name: str, expected: ExpectedCase, found: CaseOutcome) -> Iterator[Difference]:
    """Each key of `expected` that does not hold."""
    for key in _PLAIN_KEYS:
        wanted, there = getattr(expected, key), getattr(found, key)
        if key in expected.model_fields_set and wanted != there:
            yield Difference(case=name, key=key, expected=wanted, found=there)
    if not _in_order(expected.events, found.events):
        yield Difference(case=name, key="events", expected=expected.events, found=found.events)
    counts = Counter(found.events)
    for event in expected.never:
        if counts[event]:
            yield Difference(case=name, key="never", expected=event, found=counts[event])
    for event, count in expected.counts.items():
        if counts[event] != count:
            yield Difference(case=name, key=f"counts.{event}", expected=count, found=counts[event])


def programme_differences(expected: ExpectedProgramme, found: ProgrammeOutcome) -> Iterator[Difference]:
    """Each figure that was expected otherwise."""
    for key in ("places", "authorized", "waiting"):
        wanted, there = getattr(expected, key), getattr(found, key)
        if key in expected.model_fields_set and wanted != there:
            yield Difference(case=None, key=f"expect_programme.{key}", expected=wanted, found=there)


def answer_differences(scenario: Scenario, given: Mapping[int, Sequence[Answer]]) -> Iterator[Difference]:
    """Each timeline item one of whose deliveries was answered otherwise, or that was never played."""
    for index, item in enumerate(scenario.timeline):
        if item.expect_answer is None:
            continue
        for answer in given.get(index) or (None,):
            if answer != item.expect_answer:
                key = f"timeline[{index}].expect_answer"
                yield Difference(case=item.case, key=key, expected=item.expect_answer, found=answer)
                break


def _in_order(wanted: Sequence[str], there: Sequence[str]) -> bool:
    """Whether `wanted` is a subsequence of `there`."""
    rest = iter(there)
    return all(event in rest for event in wanted)
