"""An event finds its handler. Nothing here or below judges, and nothing fails on a stored history."""

from collections.abc import Iterable
from typing import Final

from domain.case import Case
from domain.events import CaseEvent
from domain.evolve import entry, filing, officers, parole, pause, sponsor, travel, vetting
from domain.evolve.changes import Handlers, stamped

HANDLERS: Final[Handlers] = {
    **filing.HANDLERS,
    **sponsor.HANDLERS,
    **entry.HANDLERS,
    **vetting.HANDLERS,
    **officers.HANDLERS,
    **travel.HANDLERS,
    **parole.HANDLERS,
    **pause.HANDLERS,
}
"""One for every event of `CASE_EVENTS`."""


def evolve(case: Case, event: CaseEvent) -> Case:
    """The case after `event`."""
    handler = HANDLERS.get(type(event))
    if handler is None:
        raise TypeError(f"not an event of a case: {type(event).__name__}")
    after = handler(case, event)
    stands = after.since is not None and after.stage == case.stage and after.waiting_on == case.waiting_on
    since = after.since if stands else event.at
    return stamped(case, after, version=case.version + 1, last_at=event.at, since=since)


def fold(case: Case, events: Iterable[CaseEvent]) -> Case:
    """The case after all of `events`, in order."""
    for event in events:
        case = evolve(case, event)
    return case
