"""The family of permits: a cooperative files, the harbour office inspects, its boats fish while there are places."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from domain.kernel import referrals
from domain.kernel.calendar import Deadline
from domain.kernel.case import Case
from domain.kernel.decider import Draft, World, waiting_on_partner
from domain.kernel.definition import Enquiry, Events, Words
from domain.kernel.events import Basis, CaseClosed
from domain.kernel.family import Family
from domain.kernel.lifecycle import EVERY_FAMILY
from domain.kernel.messages import Command
from domain.kernel.programme import Programme
from domain.kernel.rule_set import RuleSet
from tests.programmes.permits.stages import filing, inspection, season

_STAGES = (filing.STAGE, inspection.STAGE, season.STAGE)


def _world(*, now: datetime, rules: RuleSet, programme: Programme, place: Any, **_unread: Any) -> World:
    """What other cases say is left out: no decision of this family asks for it."""
    return World(now, rules, programme, place)


def _enquire(case: Case, command: Command) -> Enquiry:
    """Whether there are places for all boats; before it is filed it wants none."""
    del command
    return Enquiry(quantity=case.of(filing.Filed).boats or 1)


def _registers(case: Case, events: Events) -> Enquiry:
    del case, events
    return Enquiry()


def _running(case: Case, now: datetime, rules: RuleSet, programme: Programme) -> Iterable[Deadline]:
    del now, programme
    yield from referrals.running(case, rules)
    yield from season.running(case)


def _waiting_on(case: Case) -> str | None:
    if case.requests:
        return waiting_on_partner(FAMILY, case.requests)
    if case.open_referrals:
        return "officer"
    permit = case.of(season.Permit)
    if permit.last_day is not None:
        return "season_end"
    return "place" if permit.waitlisted else None


def _facts(case: Case, programme: Programme, rules: RuleSet) -> Mapping[str, Any]:
    del programme, rules
    last_day = case.of(season.Permit).last_day
    return {"boats": case.of(filing.Filed).boats, "season_last_day": None if last_day is None else last_day.isoformat()}


def _closing(draft: Draft[Any], outcome: str, reason: str, basis: Basis | None) -> Events:
    return (CaseClosed(at=draft.now, outcome=outcome, reason=reason, basis=basis),)


FAMILY: Final = Family(
    name="permits",
    package=__package__,
    stages=(
        *_STAGES,
        referrals.stage_of_officers(question for stage in _STAGES for question in stage.questions),
        EVERY_FAMILY,
    ),
    submission=filing.FleetSubmitted,
    submission_says="A cooperative asks for boats in the bay.",
    file=filing.file,
    filed=filing.filed,
    judge=(referrals.follow_officers,),
    over=lambda case: case.of(season.Permit).last_day is not None,
    running_limits=_running,
    waiting_on=_waiting_on,
    closing=_closing,
    enquire=_enquire,
    registers=_registers,
    world=_world,
    remembered=dict,
    places=season.places,
    facts=_facts,
    fact_titles={
        "boats": Words("Boats", "Barcos"),
        "season_last_day": Words("Season until", "Temporada hasta"),
    },
    on_hold=lambda case: case.held,
)
