"""What became of a scenario, and where that differs from what it expects."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from domain.kernel.ids import Code
from simulation.format.scenario import Answer, ExpectedCase, ExpectedPool, ExpectedProgramme, Scenario


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
    """Where a programme stands; `authorized` are places that its own cases have taken and not freed."""

    places: int
    authorized: int
    waiting: int


class PoolOutcome(Told):
    """Where a pool of places stands; `taken` by all programmes that draw on it, and not freed."""

    places: int
    taken: int


class AnswerOutcome(Told):
    """What one delivery of a timeline message was answered; `case` is null for the programme's own messages."""

    at: datetime
    case: str | None
    message: str
    answer: Answer
    code: str | None


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
    programme: ProgrammeOutcome | dict[str, ProgrammeOutcome] | None
    """A map by programme where there are several. Null only where the scenario could not be run to its end."""
    pools: dict[str, PoolOutcome]
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


def programme_differences(
    expected: ExpectedProgramme, found: ProgrammeOutcome | None, key: str = "expect_programme"
) -> Iterator[Difference]:
    """Each number of a programme that was expected otherwise."""
    yield from _number_differences(expected, found, key)


def pool_differences(expected: Mapping[str, ExpectedPool], found: Mapping[str, PoolOutcome]) -> Iterator[Difference]:
    """Each number of a pool that was expected otherwise; of a pool that nobody draws on, each that was expected."""
    for name, pool in expected.items():
        yield from _number_differences(pool, found.get(name), f"expect_pools.{name}")


def _number_differences(
    expected: ExpectedProgramme | ExpectedPool, found: Told | None, where: str
) -> Iterator[Difference]:
    for key in sorted(expected.model_fields_set):
        wanted, there = getattr(expected, key), getattr(found, key, None)
        if wanted != there:
            yield Difference(case=None, key=f"{where}.{key}", expected=wanted, found=there)


def answer_differences(
    scenario: Scenario, given: Mapping[int, Sequence[tuple[Answer, str | None]]]
) -> Iterator[Difference]:
    """Each timeline item one of whose deliveries was answered otherwise, or that was never played."""
    for index, item in enumerate(scenario.timeline):
        replies = given.get(index) or ((None, None),)
        for at, key in enumerate(("expect_answer", "expect_code")):
            wanted = getattr(item, key)
            otherwise = [reply[at] for reply in replies if reply[at] != wanted]
            if key in item.model_fields_set and otherwise:
                where = f"timeline[{index}].{key}"
                yield Difference(case=item.case, key=where, expected=wanted, found=otherwise[0])


def _in_order(wanted: Sequence[str], there: Sequence[str]) -> bool:
    """Whether `wanted` is a subsequence of `there`."""
    rest = iter(there)
    return all(event in rest for event in wanted)
