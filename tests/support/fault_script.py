"""Cases with every kind of ending, told so that no delay of Passage's own changes what becomes of them.

A program that dies costs seconds, which are domain days here, and a worker that dies with an activity in hand costs a
minute. So whoever must act in time acts at once, and where a limit is waited for, no other limit is near.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final, get_args

from demonstration import circumstances as c
from demonstration import moves as m
from demonstration.circumstances import SILENT, says
from demonstration.people import application
from demonstration.story import Act, Gate, Script, Story, gate
from domain.kernel.ids import Code
from simulators.scripts import FaultProfile, PartnerScript, PartnerScripts

PLACES: Final = 4
"""Fewer than are asked for at once, so that places are waited for, freed and passed on while things die."""

USUAL: Final = "all five steps"
_WHILE_OPEN: Final = Gate((USUAL,), frozenset(get_args(Code)))
PROMPT: Final = PartnerScripts(
    sponsor_registry=says("sponsor.confirmed", 1),
    entry_records=says("entry.matched", 0.5),
    vetting=says("vetting.cleared", 1),
    work_permit_office=says("work_permit.eligible", 2),
)
"""Partners who say yes within a second."""
NOBODY_ANSWERS: Final = PartnerScripts(
    sponsor_registry=SILENT, entry_records=SILENT, vetting=SILENT, work_permit_office=SILENT
)

_TRAVELS: Final = ("SponsorConfirmed", "VettingCleared", "TravelAuthorized")


def script(first_person: int) -> Script:
    """The stories of one run, about persons from `first_person` on. Parole lasts until `end_of_programme`."""
    stories = (*_decided_early(), *_referred(), *_authorized())
    return Script(tuple(replace(story, person=first_person + story.person) for story in stories), _acts())


def end_of_programme() -> Act:
    """The governments end it: whoever is paroled then completes within days."""

    def in_days(now: datetime, _taken: int) -> dict[str, Any]:
        return {"parole_ends_on": (now + m.days(4)).date().isoformat()}

    return Act(name="the programme ends", message="programme.terminated", gates=(), fields=in_days)


def _acts() -> tuple[Act, ...]:
    """A pause in the midst of it all."""
    return (
        Act(name="suspension", message="programme.suspended", gates=(gate(USUAL, "parole_end"),)),
        Act(name="resumption", message="programme.resumed", gates=(gate("suspension", "done"),), after=m.days(4)),
    )


def _partners(**partners: PartnerScript) -> PartnerScripts:
    return PROMPT.model_copy(update=partners)


def _decided_early() -> tuple[Story, ...]:
    return (
        Story(
            name=USUAL,
            person=0,
            application=application,
            partners=_partners(),
            moves=(m.boards("ok"), m.arrives(2), m.applies_for_work(2)),
            outcome="completed",
            events=(*_TRAVELS, "ParoleGranted", "WorkPermitEligible", "ParoleEnded", "CaseClosed"),
        ),
        Story(
            name="supporter not confirmed",
            person=1,
            application=application,
            partners=_partners(sponsor_registry=says("sponsor.not_confirmed", 2, why="income below the guideline")),
            outcome="not_confirmed",
            reason="supporter",
            events=("SponsorNotConfirmed", "CaseClosed"),
        ),
        Story(
            name="entered too late",
            person=2,
            application=application,
            partners=_partners(entry_records=says("entry.matched", 1, entered_at=c.ON_THE_CUTOFF)),
            outcome="ineligible",
            reason="mexico-entry",
            events=("EntryRefused", "CaseClosed"),
        ),
        Story(
            name="the same person again",
            person=0,
            application=application,
            partners=_partners(),
            gates=(_WHILE_OPEN,),
            outcome="duplicate",
            reason="one-active-case",
            events=("ApplicationFiled", "CaseClosed"),
        ),
        Story(
            name="withdrawn while vetting is silent",
            person=3,
            application=application,
            partners=_partners(vetting=SILENT),
            moves=(m.withdraws(after_days=6),),
            outcome="withdrawn",
            reason="applicant-withdrew",
            events=("VettingRequested", "ApplicationWithdrawn", "CaseClosed"),
        ),
        Story(
            name="no evidence in time",
            person=4,
            application=c.without_documents,
            partners=_partners(entry_records=says("entry.not_found", 1)),
            outcome="ineligible",
            reason="evidence-deadline",
            events=("EvidenceRequested", "EvidenceDeadlinePassed", "CaseClosed"),
        ),
        Story(
            name="a removal order",
            person=5,
            application=application,
            partners=_partners(vetting=says("vetting.cleared", 3, findings=(c.REMOVAL_ORDER,))),
            outcome="ineligible",
            reason="removal-order",
            events=("VettingCleared", "CaseClosed"),
        ),
    )


def _referred() -> tuple[Story, ...]:
    return (
        Story(
            name="denied by two officers",
            person=6,
            application=application,
            partners=_partners(vetting=says("vetting.hit", 2, kind="name-match")),
            moves=(m.decides("o-1", "deny", 2), m.confirms("o-1", "rejected", 3), m.confirms("o-2", after_days=4)),
            outcome="denied",
            reason="vetting",
            events=("ReferredToOfficer", "OfficerDecided", "MessageRejected", "OfficerDecisionConfirmed", "CaseClosed"),
        ),
        Story(
            name="an officer takes longer than 15 days",
            person=7,
            application=application,
            partners=_partners(entry_records=says("entry.mismatch", 1, fields=["place"])),
            moves=(m.decides("o-1", "approve", 18), m.is_turned_away(2)),
            outcome="refused_at_port",
            reason="port-of-entry",
            events=("ReferralEscalated", "OfficerDecided", "EntryVerified", "TravelAuthorized", "ParoleRefused"),
        ),
    )


def _authorized() -> tuple[Story, ...]:
    return (
        Story(
            name="evidence in time",
            person=8,
            application=c.without_documents,
            partners=_partners(entry_records=says("entry.not_found", 1)),
            moves=(m.shows_a_permit(), m.is_turned_away(2)),
            outcome="refused_at_port",
            reason="port-of-entry",
            events=("EvidenceReceived", "EntryVerified", *_TRAVELS[1:], "ParoleRefused"),
        ),
        Story(
            name="crossed a border after authorization",
            person=9,
            application=application,
            partners=_partners(),
            moves=(m.is_seen_crossing(2), m.boards("revoked", once="closed")),
            outcome="revoked",
            reason="irregular-entry",
            events=(*_TRAVELS, "IrregularCrossingRecorded", "TravelAuthorizationRevoked", "CaseClosed"),
        ),
        Story(
            name="a supporter steps back and nobody follows",
            person=10,
            application=application,
            partners=_partners(),
            moves=(m.loses_supporter("arrival", 1),),
            outcome="revoked",
            reason="supporter-withdrew",
            events=(*_TRAVELS, "SponsorWithdrew", "TravelAuthorizationHeld", "TravelAuthorizationRevoked"),
        ),
        Story(
            name="a child with a parent",
            person=11,
            application=c.child_of_two_nationalities,
            partners=_partners(),
            gates=(_WHILE_OPEN,),
            travels_with=USUAL,
            moves=(m.is_turned_away(3),),
            outcome="refused_at_port",
            reason="port-of-entry",
            events=(*_TRAVELS, "ParoleRefused"),
        ),
        Story(
            name="files from Colombia, gives up",
            person=12,
            application=c.in_colombia,
            partners=_partners(),
            moves=(m.withdraws("supporter", "arrival", 2),),
            outcome="withdrawn",
            reason="applicant-withdrew",
            events=("EntryProofNotRequired", *_TRAVELS[1:], "ApplicationWithdrawn", "CaseClosed"),
        ),
        Story(
            name="partners fail, stammer and answer twice",
            person=13,
            application=application,
            partners=_partners(
                sponsor_registry=says("sponsor.confirmed", 1, fail=1),
                entry_records=says("entry.matched", 1, faults=FaultProfile(malformed=1, twice=True)),
                vetting=says("vetting.cleared", 1, faults=FaultProfile(twice=True, wrong_case=True, early=True)),
            ),
            moves=(m.arrives(2),),
            outcome="completed",
            events=(*_TRAVELS, "ParoleGranted", "ParoleEnded", "CaseClosed"),
        ),
    )
