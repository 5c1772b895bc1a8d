"""The family of the air programmes: its stages in order, and in which order steps are tried."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from domain.humanitarian_parole import case as queries
from domain.humanitarian_parole.stages import (
    beneficiary,
    crossing,
    entry,
    filing,
    mexico_entry,
    parole,
    passport,
    retraction,
    sponsor,
    travel,
    vetting,
)
from domain.humanitarian_parole.world import World, remembered
from domain.kernel import referrals, taking_back
from domain.kernel.calendar import Deadline
from domain.kernel.case import Case
from domain.kernel.decider import waiting_on_partner
from domain.kernel.family import Family
from domain.kernel.lifecycle import EVERY_FAMILY
from domain.kernel.programme import Programme
from domain.kernel.rule_set import RuleSet

_STAGES = (
    filing.STAGE,
    beneficiary.STAGE,
    sponsor.STAGE,
    mexico_entry.STAGE,
    entry.STAGE,
    crossing.STAGE,
    vetting.STAGE,
    travel.STAGE,
    parole.STAGE,
)


def _running(case: Case, now: datetime, rules: RuleSet, programme: Programme) -> Iterable[Deadline]:
    if parole.is_paroled(case):
        yield from parole.running(case, rules, programme)
        return
    yield from referrals.running(case, rules)
    yield from entry.running(case, rules, programme)
    yield from sponsor.running(case, rules, programme)
    yield from travel.running(case, now, rules, programme)


def _waiting_on(case: Case) -> str | None:
    """Whom the case waits on, where it waits on several: officers, the applicant, then partners."""
    if case.open_referrals:
        return "officer"
    if case.of(entry.ProofOfEntry).evidence_since or case.of(sponsor.Sponsor).gone_at:
        return "applicant"
    if case.requests:
        return waiting_on_partner(FAMILY, case.requests)
    if parole.is_paroled(case):
        return "parole_end"
    held = case.of(travel.Travel)
    if held.waitlisted_at or held.lapsed_at:
        return "place"
    return "arrival" if held.authorization and not held.held else None


FAMILY: Final = Family(
    name="humanitarian_parole",
    package=__package__,
    stages=(
        taking_back.STAGE,
        *_STAGES,
        retraction.STAGE,
        passport.STAGE,
        referrals.stage_of_officers(question for stage in _STAGES for question in stage.questions),
        EVERY_FAMILY,
    ),
    submission=filing.ApplicationSubmitted,
    submission_says="A supporter files for a beneficiary.",
    registers_persons=True,
    file=filing.file_application,
    filed=filing.filed,
    judge=(
        sponsor.admit,
        crossing.judge_crossings,
        vetting.judge_findings,
        travel.restore,
        referrals.follow_officers,
        vetting.vet_again,
        entry.judge_evidence,
    ),
    over=parole.is_paroled,
    running_limits=_running,
    waiting_on=_waiting_on,
    closing=travel.closing,
    enquire=queries.enquire,
    registers=queries.registers,
    world=World,
    remembered=remembered,
    places=queries.places,
    facts=queries.facts,
    fact_titles=queries.FACT_TITLES,
    doubt=travel.doubt,
    may_reopen=queries.may_reopen,
    on_hold=queries.on_hold,
    names_case=("beneficiary", "travels_with", "case"),
    may_travel=queries.may_travel,
)
