"""The first nine cases: the usual way, and an outcome each."""

from typing import Final, get_args

from demonstration import moves as m
from demonstration.circumstances import ON_THE_CUTOFF, SILENT, answering, says
from demonstration.people import application
from demonstration.story import Gate, Story
from domain.kernel.ids import Code

USUAL: Final = "all five steps"
AFTER_THE_USUAL: Final = Gate((USUAL,), frozenset(get_args(Code)))
"""While that case is open, which it is for two years."""

TO_PAROLE: Final = ("SponsorConfirmed", "EntryVerified", "VettingCleared", "TravelAuthorized", "ParoleGranted")
TO_THE_END: Final = ("ParoleEnding", "ParoleEnded", "CaseClosed")

OUTCOMES: Final = (
    Story(
        name=USUAL,
        person=1,
        application=application,
        moves=(m.boards("ok", after_days=18), m.arrives(), m.applies_for_work()),
        outcome="completed",
        events=(*TO_PAROLE, "WorkPermitApplied", "WorkPermitEligible", *TO_THE_END),
    ),
    Story(
        name="supporter not confirmed",
        person=2,
        application=application,
        partners=answering(sponsor_registry=says("sponsor.not_confirmed", 4, why="income below the guideline")),
        outcome="not_confirmed",
        reason="supporter",
        events=("SponsorConfirmationRequested", "SponsorNotConfirmed", "CaseClosed"),
    ),
    Story(
        name="entered Mexico too late",
        person=3,
        application=application,
        partners=answering(entry_records=says("entry.matched", 2, entered_at=ON_THE_CUTOFF)),
        outcome="ineligible",
        reason="mexico-entry",
        events=("EntryCheckRequested", "EntryRefused", "CaseClosed"),
    ),
    Story(
        name="hit in vetting, denied by two officers",
        person=4,
        application=application,
        partners=answering(vetting=says("vetting.hit", 6, kind="name-match")),
        moves=(
            m.decides("officer-17", "deny"),
            m.confirms("officer-17", "rejected", 4),
            m.confirms("officer-23"),
        ),
        outcome="denied",
        reason="vetting",
        events=("ReferredToOfficer", "OfficerDecided", "MessageRejected", "OfficerDecisionConfirmed", "VettingDenied"),
    ),
    Story(
        name="the same person again",
        person=1,
        application=application,
        gates=(AFTER_THE_USUAL,),
        outcome="duplicate",
        reason="one-active-case",
        events=("ApplicationFiled", "CaseClosed"),
    ),
    Story(
        name="withdrawn while vetting is silent",
        person=6,
        application=application,
        partners=answering(vetting=SILENT),
        moves=(m.withdraws(),),
        outcome="withdrawn",
        reason="applicant-withdrew",
        events=("VettingRequested", "ApplicationWithdrawn", "CaseClosed"),
    ),
    Story(
        name="authorized, never travelled",
        person=7,
        application=application,
        moves=(m.boards("expired", once="closed"),),
        outcome="expired",
        reason="authorization-expired",
        events=("TravelAuthorized", "TravelAuthorizationExpired", "CaseClosed"),
    ),
    Story(
        name="crossed a border after authorization",
        person=8,
        application=application,
        moves=(m.is_seen_crossing(), m.boards("revoked", once="closed")),
        outcome="revoked",
        reason="irregular-entry",
        events=("TravelAuthorized", "IrregularCrossingRecorded", "TravelAuthorizationRevoked", "CaseClosed"),
    ),
    Story(
        name="refused at the port of entry",
        person=9,
        application=application,
        moves=(m.is_turned_away(), m.boards("none", once="closed")),
        outcome="refused_at_port",
        reason="port-of-entry",
        events=("TravelAuthorized", "ParoleRefused", "CaseClosed"),
    ),
)
"""An outcome each, but for `terminated`, which the second part shows."""
