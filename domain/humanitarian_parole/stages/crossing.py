"""Irregular entries: those declared, and crossings that the border reports.

A day is the local calendar day of the crossing, as written with its offset.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime

from domain.humanitarian_parole.application import Country
from domain.humanitarian_parole.stages.filing import Filed, application_of
from domain.humanitarian_parole.world import Draft, World
from domain.kernel.case import Case, with_part
from domain.kernel.definition import (
    Events,
    Stage,
    Words,
    also,
    event,
    first_of,
    message,
    name_of,
    retractable,
    rule,
)
from domain.kernel.events import ERASED_MOMENT, CaseEvent, FactRetracted, Personal, RuleResult
from domain.kernel.ids import EventId
from domain.kernel.messages import Message, TakeMessage
from domain.kernel.rule_set import RuleParameters

RULE = "irregular-entry"


class IrregularCrossingReport(Message):
    """The border reports an irregular crossing."""

    SENDERS = ("border",)
    message: Literal["border.irregular_crossing"] = "border.irregular_crossing"
    country: Country
    crossed_at: AwareDatetime


class IrregularCrossingRecorded(CaseEvent):
    """A crossing was reported."""

    country: Annotated[Country, Personal(erased="XXX")]
    crossed_at: Annotated[AwareDatetime, Personal(erased=ERASED_MOMENT)]


@dataclass(frozen=True, slots=True)
class Crossing:
    """A border crossing that was reported."""

    country: str
    crossed_at: datetime
    fact: EventId


@dataclass(frozen=True)
class Crossings:
    """The crossings that were reported."""

    reported: tuple[Crossing, ...] = ()


class IrregularEntry(RuleParameters):
    """The last day on which an irregular entry into one of the countries does no harm."""

    after: date
    countries: tuple[str, ...]


def irregular_entry(case: Case, world: World) -> RuleResult:
    """No irregular entry, declared or reported, into the countries named, after the day of the rule set."""
    parameters = world.rules.of(RULE, IrregularEntry)
    declared = [
        entry
        for entry in application_of(case).entries
        if entry.manner == "irregular" and _too_late(entry.country, entry.entered_at, parameters)
    ]
    crossings = case.of(Crossings).reported
    reported = [each for each in crossings if _too_late(each.country, each.crossed_at, parameters)]
    because = "declared-after-notice" if declared else "reported-after-notice" if reported else "none-after-notice"
    return RuleResult(
        rule=RULE,
        result="failed" if declared or reported else "passed",
        because=because,
        facts=(*case.of(Filed).document_facts[:1], *(crossing.fact for crossing in reported)),
    )


def _too_late(country: str, crossed_at: datetime, parameters: IrregularEntry) -> bool:
    return country in parameters.countries and crossed_at.date() > parameters.after


def record_crossing(draft: Draft, message: IrregularCrossingReport, command: TakeMessage) -> None:
    """Record a reported crossing; what follows is the case's next step (`judge_crossings`)."""
    at = draft.not_before(command.received_at)
    draft.add(IrregularCrossingRecorded(at=at, country=message.country, crossed_at=message.crossed_at))


def _said(events: Events) -> IrregularCrossingReport:
    recorded = first_of(IrregularCrossingRecorded, events)
    return IrregularCrossingReport(country=recorded.country, crossed_at=recorded.crossed_at)


def judge_crossings(draft: Draft) -> Events:
    """An irregular entry after the notice makes ineligible, or revokes."""
    if RULE not in draft.world.rules.rules:
        return ()
    result = irregular_entry(draft.case, draft.world)
    if result.result == "passed":
        return ()
    reported = (each.fact for each in draft.case.of(Crossings).reported if each.fact in result.facts)
    return draft.closing("ineligible", RULE, draft.basis(result), facts=reported)


def _recorded(case: Case, event: IrregularCrossingRecorded) -> Case:
    crossing = Crossing(event.country, event.crossed_at, case.next_event_id)
    return with_part(case, Crossings((*case.of(Crossings).reported, crossing)))


def _retracted(case: Case, event: FactRetracted) -> Case:
    if event.kind != name_of(IrregularCrossingReport):
        return case
    return with_part(case, Crossings(tuple(c for c in case.of(Crossings).reported if c.fact != event.fact)))


STAGE = Stage(
    name=None,
    events=(
        event(
            IrregularCrossingRecorded,
            _recorded,
            Words("An irregular border crossing was reported.", "Se informó de un cruce fronterizo irregular."),
        ),
        also(FactRetracted, _retracted),
    ),
    messages=(
        retractable(
            message(
                IrregularCrossingReport,
                record_crossing,
                "The border reports an irregular crossing.",
                {"country": "PAN", "crossed_at": "2022-11-01T08:00:00-05:00"},
                ends=True,
                said=_said,
                after_close=True,
            )
        ),
    ),
    senders={"border": Words("the border service", "el servicio de fronteras")},
    rules=(
        rule(
            RULE,
            Words("irregular entry", "ingreso irregular"),
            {
                "none-after-notice": Words("none after the notice", "ninguno después del aviso"),
                "declared-after-notice": Words("declared, after the notice", "declarado, después del aviso"),
                "reported-after-notice": Words("reported, after the notice", "informado, después del aviso"),
            },
            irregular_entry,
            "filing",
            "authorization",
            parameters=IrregularEntry,
            facts=("application.entries", "country", "crossed_at"),
        ),
    ),
)
