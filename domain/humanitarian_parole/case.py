"""What others ask of a case of this family: whom to compare it with, its place, its facts, and boarding."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain.humanitarian_parole.persons import person_identities, supporter_identities
from domain.humanitarian_parole.stages.filing import ApplicationFiled, ApplicationSubmitted, Filed
from domain.humanitarian_parole.stages.parole import Parole, is_paroled, parole_last_day
from domain.humanitarian_parole.stages.passport import PassportChanged
from domain.humanitarian_parole.stages.sponsor import Sponsor, SponsorReplaced
from domain.humanitarian_parole.stages.travel import (
    ALLOTMENT,
    Travel,
    TravelAuthorizationRestored,
    TravelAuthorized,
    Waitlisted,
    authorization_last_day,
    authorized_until,
    holds_place,
    waits_for_place,
)
from domain.humanitarian_parole.world import Draft
from domain.kernel.case import Case
from domain.kernel.decider import is_to_reopen
from domain.kernel.definition import (
    Codes,
    Enquiry,
    Events,
    Places,
    Words,
)
from domain.kernel.events import CaseReopened
from domain.kernel.messages import Command, FileApplication, TakeMessage
from domain.kernel.programme import Programme
from domain.kernel.rule_set import RuleSet


def enquire(case: Case, command: Command) -> Enquiry:
    """The person until the case is admitted, the supporter until confirmed, and the principal, if one is named."""
    beneficiary, sponsor = case.of(Filed).beneficiary, case.of(Sponsor)
    if case.closed:
        return Enquiry(persons=person_identities(beneficiary) if beneficiary and _may_open_again(case, command) else ())
    if isinstance(command, FileApplication) and not case.filed and isinstance(command.message, ApplicationSubmitted):
        beneficiary = command.message.application.beneficiary
    supporter = None if sponsor.confirmed else sponsor.supporter
    travels_with = beneficiary.travels_with if beneficiary else None
    return Enquiry(
        persons=() if sponsor.admitted or beneficiary is None else person_identities(beneficiary),
        backer=supporter_identities(supporter) if supporter else None,
        principal=travels_with.case if travels_with else None,
    )


def _may_open_again(case: Case, command: Command) -> bool:
    """What a command to a closed case may lead to, where one person may have one open case only."""
    told = isinstance(command, TakeMessage) and command.message.message in REOPENING
    return told and not case.erased


REOPENING: Final = frozenset({"fact.retracted", "officer.confirmed", "programme.changed"})


def may_reopen(draft: Draft) -> bool:
    """The person has no other open case."""
    return not draft.world.same_person


def registers(case: Case, events: Events) -> Enquiry:
    """Who the beneficiary and the supporter are now, where an event says that it changed or opens the case again."""
    beneficiary, backer = case.of(Filed).beneficiary, None
    persons: tuple[str, ...] = ()
    for event in events:
        if isinstance(event, ApplicationFiled | PassportChanged | CaseReopened) and beneficiary:
            persons = person_identities(beneficiary)
        if isinstance(event, ApplicationFiled):
            backer = supporter_identities(event.application.supporter)
        if isinstance(event, SponsorReplaced):
            backer = supporter_identities(event.supporter)
    return Enquiry(persons=persons, backer=backer)


def places(before: Case, after: Case, events: Events) -> Places | None:
    """What the decision does to the programme's places."""
    for event in events:
        kind = type(event)  # asking pydantic's classes is slow, and a verification asks at every event
        if kind is TravelAuthorized or kind is TravelAuthorizationRestored:
            return Places("take", ALLOTMENT)
        if isinstance(event, Waitlisted):
            return Places("join", ALLOTMENT, ready_at=event.turn_at or event.at)
    if after.closed and not before.closed and holds_place(after):
        return Places("free", ALLOTMENT)
    if waits_for_place(before) and not waits_for_place(after):
        return Places("leave", ALLOTMENT)
    if waits_for_place(after) and _passed_over(before) != _passed_over(after):
        return Places("pass-over" if _passed_over(after) else "resume", ALLOTMENT)
    return None


def _passed_over(case: Case) -> bool:
    """A case that officers look at keeps its turn; one that gets back what it had is not held up."""
    return bool(case.open_referrals) and case.of(Travel).lapsed_at is None


FACT_TITLES: Final[Codes] = {
    "work_permit": Words("Work permit", "Permiso de trabajo"),
    "authorized_last_day": Words("Authorized until", "Autorizado hasta"),
    "paroled_last_day": Words("Paroled until", "Con parole hasta"),
}


def facts(case: Case, programme: Programme, rules: RuleSet) -> Mapping[str, Any]:
    """The work permit, and the last days of authorization (null while paused) and parole."""
    authorized, paroled = authorization_last_day(case, programme, rules), parole_last_day(case, programme)
    return {
        "work_permit": case.of(Parole).work_permit,
        "authorized_last_day": authorized and authorized.isoformat(),
        "paroled_last_day": paroled and paroled.isoformat(),
    }


def on_hold(case: Case) -> bool:
    """Any hold: by the programme, for a new supporter, for a changed passport; or waits to be opened again."""
    if case.closed:
        return is_to_reopen(case)
    return case.held or case.of(Travel).held or case.of(Sponsor).gone_at is not None


def may_travel(case: Case, programme: Programme, rules: RuleSet, now: datetime) -> str:
    """May this person board? Always answered and never recorded in the case; the first that holds.

    `none`: arrived, refused at the port, or never authorized. `held`: opened again and without its place.
    `expired`: past its last moment. `revoked`: withdrawn,
    or the programme is terminated, even before the case has noticed. `held`: not at the moment. `ok`.
    """
    if is_paroled(case) or case.outcome == "refused_at_port":
        return "none"
    if case.of(Travel).lapsed_at and not case.closed and not programme.terminated:
        return "held"
    until, travel = authorized_until(case, programme, rules), case.of(Travel)
    if until is not None and now >= until:
        return "expired"
    if travel.authorization and (case.closed or programme.terminated):
        return "revoked"
    if case.closed or not travel.authorization:
        return "none"
    return "held" if programme.suspended or travel.held or case.held else "ok"
