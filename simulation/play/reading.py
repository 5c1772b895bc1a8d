"""Reads from the event store where a scenario's cases and its programme stand at the end, and compares."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from domain.kernel.calendar import end_of, month_of
from domain.kernel.ids import CaseId
from eventstore.operations import Statistics
from eventstore.port import EventStore
from simulation.format.programmes import programmes_of
from simulation.format.scenario import Answer, ExpectedProgramme, Scenario
from simulation.play.names import CaseNames
from simulation.play.outcome import (
    AnswerOutcome,
    CaseOutcome,
    Difference,
    PoolOutcome,
    ProgrammeOutcome,
    Result,
    answer_differences,
    case_differences,
    pool_differences,
    programme_differences,
)
from simulation.play.player import TimelineAnswer

_INSTANT = timedelta(microseconds=1)


async def read_cases(scenario: Scenario, names: CaseNames, store: EventStore) -> dict[str, CaseOutcome]:
    """Where each application's case stands, by name."""
    return {
        name: CaseOutcome() if (case_id := names.filed(name)) is None else await _read_case(case_id, store)
        for name in scenario.applications
    }


async def _read_case(case_id: CaseId, store: EventStore) -> CaseOutcome:
    summary = await store.summary(case_id)
    if summary is None:
        return CaseOutcome(case_id=case_id)
    last_day, paroled = summary.facts.get("authorized_last_day"), summary.facts.get("paroled_last_day")
    return CaseOutcome(
        case_id=case_id,
        stage=summary.stage,
        outcome=summary.outcome,
        reason=summary.reason,
        waiting_on=summary.waiting_on,
        work_permit=summary.facts.get("work_permit"),
        authorized_until=None if last_day is None else end_of(date.fromisoformat(last_day)),
        paroled_until=None if paroled is None else date.fromisoformat(paroled),
        events=tuple(stored.type for stored in (await store.load(case_id)).events),
    )


@dataclass(frozen=True, slots=True)
class Numbers:
    """Where the programmes of a scenario and the pools that they draw on stand."""

    programmes: dict[str, ProgrammeOutcome] = field(default_factory=dict)
    pools: dict[str, PoolOutcome] = field(default_factory=dict)


async def read_numbers(scenario: Scenario, statistics: Statistics) -> Numbers:
    """The statistics of every programme; under a monthly cap those of the month in which the scenario stops."""
    numbers, month = Numbers(), month_of(scenario.until - _INSTANT)
    for name in programmes_of(scenario):
        found = await statistics.programme(name, month)
        if found is None:
            continue
        numbers.programmes[name] = ProgrammeOutcome(
            places=found.pools[0].places, authorized=found.authorized, waiting=found.waiting
        )
        for pool in found.pools:
            numbers.pools[pool.pool] = PoolOutcome(places=pool.places, taken=pool.taken)
    return numbers


def result_of(
    scenario: Scenario,
    cases: dict[str, CaseOutcome],
    numbers: Numbers | None,
    answers: Sequence[TimelineAnswer],
    broken: str | None,
) -> Result:
    """What became of a scenario against what it expects; `broken` says why it was not played to its end.

    Without `numbers` those of programmes and pools are not compared.
    """
    given: dict[int, list[tuple[Answer, str | None]]] = {}
    for answer in answers:
        given.setdefault(answer.index, []).append((answer.answer, answer.code))
    differences = [
        *([] if broken is None else [Difference(case=None, key="run", expected="played to its end", found=broken)]),
        *(each for name, expected in scenario.expect.items() for each in case_differences(name, expected, cases[name])),
        *([] if numbers is None else _number_differences(scenario, numbers)),
        *answer_differences(scenario, given),
    ]
    return Result(
        scenario=scenario.scenario,
        ok=not differences,
        differences=tuple(differences),
        cases=cases,
        programme=None if numbers is None else _one_or_each(numbers.programmes),
        pools={} if numbers is None else numbers.pools,
        answers=tuple(
            AnswerOutcome(
                at=each.item.at, case=each.item.case, message=each.item.message, answer=each.answer, code=each.code
            )
            for each in answers
        ),
    )


def _one_or_each(programmes: dict[str, ProgrammeOutcome]) -> ProgrammeOutcome | dict[str, ProgrammeOutcome] | None:
    return programmes if len(programmes) > 1 else next(iter(programmes.values()), None)


def _number_differences(scenario: Scenario, numbers: Numbers) -> Iterator[Difference]:
    expected, found = scenario.expect_programme, numbers.programmes
    if isinstance(expected, ExpectedProgramme):
        yield from programme_differences(expected, next(iter(found.values()), None))
    else:
        for name, programme in expected.items():
            yield from programme_differences(programme, found.get(name), f"expect_programme.{name}")
    yield from pool_differences(scenario.expect_pools, numbers.pools)
