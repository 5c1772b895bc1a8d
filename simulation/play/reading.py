"""Reads from the event store where a scenario's cases and its programme stand at the end, and compares."""

from collections.abc import Sequence
from datetime import timedelta

from domain.kernel.calendar import end_of, month_of
from domain.kernel.ids import CaseId
from eventstore.operations import Statistics
from eventstore.port import EventStore
from simulation.format.scenario import Answer, Scenario
from simulation.play.names import CaseNames
from simulation.play.outcome import (
    AnswerOutcome,
    CaseOutcome,
    Difference,
    ProgrammeOutcome,
    Result,
    answer_differences,
    case_differences,
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
    last_day = summary.authorized_last_day
    return CaseOutcome(
        case_id=case_id,
        stage=summary.stage,
        outcome=summary.outcome,
        reason=summary.reason,
        waiting_on=summary.waiting_on,
        work_permit=summary.work_permit,
        authorized_until=None if last_day is None else end_of(last_day),
        paroled_until=summary.paroled_last_day,
        events=tuple(stored.type for stored in (await store.load(case_id)).events),
    )


async def read_programme(scenario: Scenario, statistics: Statistics) -> ProgrammeOutcome | None:
    """The programme's statistics; under a monthly cap those of the month in which the scenario stops."""
    found = await statistics.programme(scenario.programme, month_of(scenario.until - _INSTANT))
    if found is None:
        return None
    return ProgrammeOutcome(places=found.pools[0].places, authorized=found.authorized, waiting=found.waiting)


def result_of(
    scenario: Scenario,
    cases: dict[str, CaseOutcome],
    programme: ProgrammeOutcome | None,
    answers: Sequence[TimelineAnswer],
    broken: str | None,
) -> Result:
    """What became of a scenario against what it expects; `broken` says why it was not played to its end."""
    given: dict[int, list[Answer]] = {}
    for answer in answers:
        given.setdefault(answer.index, []).append(answer.answer)
    differences = [
        *([] if broken is None else [Difference(case=None, key="run", expected="played to its end", found=broken)]),
        *(each for name, expected in scenario.expect.items() for each in case_differences(name, expected, cases[name])),
        *([] if programme is None else programme_differences(scenario.expect_programme, programme)),
        *answer_differences(scenario, given),
    ]
    return Result(
        scenario=scenario.scenario,
        ok=not differences,
        differences=tuple(differences),
        cases=cases,
        programme=programme,
        answers=tuple(
            AnswerOutcome(at=each.item.at, case=each.item.case, message=each.item.message, answer=each.answer)
            for each in answers
        ),
    )
