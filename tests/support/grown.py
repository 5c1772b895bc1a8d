"""Our family as it may be one day: with one more stage, and in it one of everything that a stage can have.

The new office is asked about fingerprints before vetting. It stands for any later requirement.
"""

from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path
from typing import Final, Literal

from domain.humanitarian_parole.definition import FAMILY
from domain.humanitarian_parole.stages import vetting
from domain.humanitarian_parole.world import Draft, World
from domain.kernel.case import Case, Request, answered, asked, replace, settled, with_part
from domain.kernel.definition import (
    Events,
    PartnerDefinition,
    QuestionDefinition,
    Stage,
    Words,
    answer,
    event,
    first_of,
    rule,
)
from domain.kernel.events import CaseEvent, FreeText, ReferredToOfficer, RuleResult
from domain.kernel.family import Family
from domain.kernel.ids import MessageId
from domain.kernel.messages import Flags, OfficerDecision, PartnerAnswer, PartnerCheck
from domain.kernel.referrals import refer, stage_of_officers
from domain.kernel.rule_set import RuleParameters

RULE: Final = "fingerprints"
PARTNER: Final = "fingerprint_office"
OUTCOME: Final = "postponed"
REASON: Final = "fingerprints-unreadable"

NEW_SET: Final = (
    (Path(__file__).parents[2] / "domain/humanitarian_parole/programmes/venezuela-air/sets/2022-10-19.toml")
    .read_text()
    .replace('version = "2022-10-19"', 'version = "2030-01-01"')
    + """
[rules.fingerprints]
age_years = 14
en = "Whoever is fourteen or older has given fingerprints."
es = "Quien tiene catorce años o más ha dado sus huellas."
source = "Made up for tests"
"""
)


class FingerprintsGivenAnswer(PartnerAnswer):
    """The office has them."""

    SENDERS = (PARTNER,)
    message: Literal["fingerprints.given"] = "fingerprints.given"


class FingerprintsUnreadableAnswer(PartnerAnswer):
    """The office cannot read them."""

    SENDERS = (PARTNER,)
    message: Literal["fingerprints.unreadable"] = "fingerprints.unreadable"
    fingers: Flags = ()


class FingerprintCheck(PartnerCheck):
    """Has this beneficiary given fingerprints?"""


class FingerprintsAsked(CaseEvent):
    """The office was asked."""

    request_id: MessageId


class FingerprintsTaken(CaseEvent):
    """The office has them, or an officer did without."""

    note: FreeText = ""


@dataclass(frozen=True)
class Fingerprints:
    """How far they are."""

    asked: bool = False
    taken: bool = False


class FingerprintAge(RuleParameters):
    """From which age on they are asked for."""

    age_years: int


def fingerprints(case: Case, world: World) -> RuleResult:
    """Passes before they are given, since nobody was asked yet."""
    age = world.rules.of(RULE, FingerprintAge).age_years
    taken = case.of(Fingerprints).taken
    return RuleResult(rule=RULE, result="passed", because="given" if taken else f"asked-for-at-{age}")


def _ask(draft: Draft) -> Events:
    if RULE not in draft.world.rules.rules:
        return (FingerprintsTaken(at=draft.now, note="not asked for"),)
    if draft.case.of(Fingerprints).asked:
        return ()
    return (FingerprintsAsked(at=draft.now, request_id=draft.case.next_event_id),)


def _given(draft: Draft, message: FingerprintsGivenAnswer) -> Events:
    del message
    return (FingerprintsTaken(at=draft.now, basis=draft.basis(fingerprints(draft.case, draft.world))),)


def _unreadable(draft: Draft, message: FingerprintsUnreadableAnswer) -> Events:
    return refer(draft, RULE, message.fingers, prefix="finger-")


def _approved(draft: Draft) -> Events:
    return (FingerprintsTaken(at=draft.now),)


def _denied(draft: Draft, number: int) -> Events:
    del number
    result = RuleResult(rule=RULE, result="failed", because="unreadable")
    return draft.closing(OUTCOME, REASON, draft.basis(result))


def _check(case: Case, request: Request) -> FingerprintCheck:
    return FingerprintCheck(request_id=request.request_id, case_id=case.case_id, requested_at=request.at)


def _asked(case: Case, event: FingerprintsAsked) -> Case:
    requests = asked(case, PARTNER, event.request_id, event.at)
    return with_part(case, replace(case.of(Fingerprints), asked=True), requests=requests)


def _taken(case: Case, event: FingerprintsTaken) -> Case:
    del event
    part = replace(case.of(Fingerprints), taken=True)
    return with_part(case, part, requests=answered(case, PARTNER), referrals=settled(case, RULE))


STAGE: Final = Stage(
    name="fingerprints",
    title=Words("fingerprints", "huellas"),
    events=(
        event(FingerprintsAsked, _asked, Words("Fingerprints were asked for.", "Se pidieron las huellas.")),
        event(FingerprintsTaken, _taken, Words("Fingerprints were given.", "Se dieron las huellas.")),
    ),
    partners=(
        PartnerDefinition(
            PARTNER,
            Words("the fingerprint office", "la oficina de huellas"),
            waiting_on=PARTNER,
            asks=FingerprintCheck,
            check=_check,
            answers=(
                answer(FingerprintsGivenAnswer, _given, "The office has them."),
                answer(
                    FingerprintsUnreadableAnswer,
                    _unreadable,
                    "The office cannot read them.",
                    said=lambda events: FingerprintsUnreadableAnswer(fingers=first_of(ReferredToOfficer, events).flags),
                ),
            ),
        ),
    ),
    questions=(QuestionDefinition(RULE, PARTNER, _approved, _denied),),
    rules=(
        rule(
            RULE,
            Words("fingerprints", "huellas"),
            {"given": Words("given", "dadas")},
            fingerprints,
            "filing",
            "authorization",
            parameters=FingerprintAge,
        ),
    ),
    outcomes={
        OUTCOME: Words("postponed", "aplazado"),
    },
    reasons={
        REASON: Words("fingerprints cannot be read", "huellas ilegibles"),
    },
    carry_on=_ask,
    done=lambda case: case.of(Fingerprints).taken,
)


def _grown() -> Family:
    """With the stage before vetting, and officers who are asked its question too."""
    stages = list(FAMILY.stages)
    stages.insert(stages.index(vetting.STAGE), STAGE)
    officers = next(i for i, each in enumerate(stages) if any(m.kind is OfficerDecision for m in each.messages))
    stages[officers] = stage_of_officers(question for stage in stages for question in stage.questions)

    def waiting_on(case: Case) -> str | None:
        return PARTNER if case.request_to(PARTNER) else FAMILY.waiting_on(case)

    return changed(FAMILY, stages=tuple(stages), waiting_on=waiting_on)


GROWN: Final = _grown()
