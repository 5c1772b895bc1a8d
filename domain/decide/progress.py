"""The case's next step, taken until there is none: what the rules ask for, given all that is recorded.

While the programme is suspended no step is taken; a case that has one records that it waits (`CaseHeld`).
"""

from collections.abc import Callable
from typing import assert_never

from domain.decide import entry, filing, sponsor, travel, vetting
from domain.decide.draft import Draft
from domain.decide.intake import consequences
from domain.events import CaseClosed, CaseEvent, CaseHeld, CaseResumed
from domain.messages import PARTNER_ANSWER

MAX_STEPS = 20
"""More steps than any case can take at once: a loop in the rules must fail, not spin."""


def go_on(draft: Draft) -> None:
    """Take every next step there is."""
    if _terminate(draft):
        return
    suspended = draft.world.programme.suspended
    if draft.case.held and not suspended:
        _resume(draft)
    for _ in range(MAX_STEPS):
        proposed = _next(draft)
        if not proposed:
            return
        if suspended:
            if not draft.case.held:
                draft.add(CaseHeld(at=draft.now))
            return
        draft.add(*proposed)
    raise RuntimeError("the rules ask for steps without end")


def _terminate(draft: Draft) -> bool:
    """A terminated programme closes every case not yet paroled, suspended or not."""
    case, programme = draft.case, draft.world.programme
    if case.closed or case.parole or not programme.terminated:
        return False
    draft.add(CaseClosed(at=draft.now, outcome="terminated", reason="programme-terminated"))
    return True


def _resume(draft: Draft) -> None:
    """The programme resumed: the answers that waited take effect, in the order they came."""
    waiting = draft.case.held_answers
    draft.add(CaseResumed(at=draft.now))
    for answer in waiting:
        if draft.case.closed:
            return
        draft.add(*consequences(draft, PARTNER_ANSWER.validate_json(answer)))


def _next(draft: Draft) -> tuple[CaseEvent, ...]:
    """The first step that is to be taken; what closes a case comes before what carries it on."""
    if draft.case.closed or draft.case.parole:
        return ()
    if not draft.case.admitted:
        return filing.admit(draft)
    for step in _STEPS:
        proposed = step(draft)
        if proposed:
            return proposed
    return ()


def _judge_findings(draft: Draft) -> tuple[CaseEvent, ...]:
    return vetting.judge_findings(draft) if draft.case.findings else ()


def _follow_officers(draft: Draft) -> tuple[CaseEvent, ...]:
    """What officers decided and has not taken effect: an approval, or a denial that a second one confirmed."""
    for referral in draft.case.referrals:
        if referral.settled or referral.open:
            continue
        approved = referral.decision == "approve"
        match referral.question:
            case "supporter":
                return sponsor.approved_by_officer(draft) if approved else sponsor.denied_by_officers(draft)
            case "mexico-entry":
                return entry.approved_by_officer(draft) if approved else entry.denied_by_officers(draft)
            case "vetting":
                if approved:
                    return vetting.approved_by_officer(draft)
                return vetting.denied_by_officers(draft, referral.number)
            case _:
                assert_never(referral.question)
    return ()


def _carry_on(draft: Draft) -> tuple[CaseEvent, ...]:
    """The stages in their order; without a confirmed supporter nothing new is begun."""
    case = draft.case
    if not case.sponsor_ok:
        return sponsor.request_confirmation(draft)
    if not case.entry_ok:
        return entry.check_entry(draft)
    if not case.vetting_ok and not case.vetting_asked:
        return vetting.request_vetting(draft)
    if case.requests or case.open_referrals or not case.vetting_ok:
        return ()
    if case.authorization is None:
        return travel.authorize(draft)
    return travel.release(draft) if case.travel_held else ()


_STEPS: tuple[Callable[[Draft], tuple[CaseEvent, ...]], ...] = (
    travel.judge_crossings,
    _judge_findings,
    _follow_officers,
    travel.vet_again,
    entry.judge_evidence,
    _carry_on,
)
