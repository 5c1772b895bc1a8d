"""Reads from the event store where a scenario's cases and its programme stand at the end."""

from datetime import timedelta

from domain.kernel.calendar import end_of, month_of
from domain.kernel.ids import CaseId
from eventstore.operations import Statistics
from eventstore.port import EventStore
from simulation.format.scenario import Scenario
from simulation.play.names import CaseNames
from simulation.play.outcome import CaseOutcome, ProgrammeOutcome

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
