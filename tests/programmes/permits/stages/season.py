"""The season: places for all boats are taken at once, or waited for; when the season is over they are free again."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from domain.kernel.calendar import Deadline, end_of
from domain.kernel.case import Case, with_part
from domain.kernel.decider import Draft
from domain.kernel.definition import Events, LimitDefinition, Places, Stage, Wait, Words, event
from domain.kernel.events import CaseClosed, CaseEvent
from tests.programmes.permits.stages.filing import Filed

ALLOTMENT = "boats"
LIMIT = "season-end"


class FleetWaitlisted(CaseEvent):
    """There are fewer places than boats."""


class FleetPermitted(CaseEvent):
    """All boats have a place and may fish."""

    boats: int
    last_day: date


@dataclass(frozen=True)
class Permit:
    """Whether the case waits for places, or until which day its boats may fish."""

    waitlisted: bool = False
    last_day: date | None = None


def permit(draft: Draft[Any]) -> Events:
    """Permit the boats where there are places for all of them, else wait."""
    held = draft.case.of(Permit)
    if held.last_day is not None:
        return ()
    if draft.world.place == "none":
        return () if held.waitlisted else (FleetWaitlisted(at=draft.now),)
    last_day = draft.today + timedelta(days=draft.world.rules.days("season"))
    boats = draft.case.of(Filed).boats
    return (FleetPermitted(at=draft.now, basis=draft.basis(), boats=boats, last_day=last_day),)


def running(case: Case) -> Iterable[Deadline]:
    """The end of the season, while the case is open."""
    last_day = case.of(Permit).last_day
    if last_day is not None:
        yield Deadline(end_of(last_day), LIMIT)


def end_season(draft: Draft[Any], due_at: datetime) -> None:
    """The season is over and the case complete."""
    draft.add(CaseClosed(at=draft.not_before(due_at), outcome="completed"))


def places(before: Case, after: Case, events: Events) -> Places | None:
    """As many places as boats are taken with the permit, and free again when the case closes."""
    boats = after.of(Filed).boats
    for each in events:
        if isinstance(each, FleetPermitted):
            return Places("take", ALLOTMENT, quantity=boats)
        if isinstance(each, FleetWaitlisted):
            return Places("join", ALLOTMENT, ready_at=each.at, quantity=boats)
    if after.closed and not before.closed and before.of(Permit).last_day is not None:
        return Places("free", ALLOTMENT, quantity=boats)
    if after.closed and not before.closed and before.of(Permit).waitlisted:
        return Places("leave", ALLOTMENT)
    return None


def _waitlisted(case: Case, event: FleetWaitlisted) -> Case:
    del event
    return with_part(case, replace(case.of(Permit), waitlisted=True))


def _permitted(case: Case, event: FleetPermitted) -> Case:
    return with_part(case, Permit(last_day=event.last_day))


STAGE = Stage(
    name="season",
    title=Words("the season", "la temporada"),
    events=(
        event(FleetWaitlisted, _waitlisted, Words("There are too few places.", "No hay cupos suficientes.")),
        event(
            FleetPermitted,
            _permitted,
            Words("{boats} boats may fish, until {last_day}.", "{boats} barcos pueden pescar, hasta el {last_day}."),
            lengths=("season",),
        ),
    ),
    limits=(LimitDefinition(LIMIT, end_season, "the season ends"),),
    lengths=("season",),
    waits={
        "place": Wait(Words("places", "cupos"), "places become free: `place.offered`"),
        "season_end": Wait(Words("the end of the season", "el fin de la temporada"), "the season ends"),
    },
    carry_on=permit,
    done=lambda case: case.of(Permit).last_day is not None,
)
