"""More ways through the programme, each with something of its own."""

from typing import Final

from demonstration import circumstances as c
from demonstration import moves as m
from demonstration.circumstances import answering, says
from demonstration.outcomes import AFTER_THE_USUAL, TO_PAROLE, TO_THE_END, USUAL
from demonstration.people import application
from demonstration.story import Story
from simulators.scripts import FaultProfile

VARIATIONS: Final = (
    Story(
        name="no record, evidence in time",
        person=21,
        application=c.without_documents,
        partners=answering(entry_records=says("entry.not_found", 1)),
        moves=(m.shows_a_permit(), m.arrives(port="JFK"), m.applies_for_work()),
        outcome="completed",
        events=("EvidenceRequested", "EvidenceReceived", "EntryVerified", "TravelAuthorized", *TO_THE_END),
    ),
    Story(
        name="no record, no evidence",
        person=22,
        application=c.weakly_documented,
        partners=answering(entry_records=says("entry.not_found", 2)),
        outcome="ineligible",
        reason="evidence-deadline",
        events=("EvidenceRequested", "EvidenceDeadlinePassed", "CaseClosed"),
    ),
    Story(
        name="two nationalities",
        person=23,
        application=c.of_two_nationalities,
        outcome="ineligible",
        reason="sole-nationality",
        events=("ApplicationFiled", "CaseClosed"),
    ),
    Story(
        name="two nationalities, but a child with a parent",
        person=24,
        application=c.child_of_two_nationalities,
        gates=(AFTER_THE_USUAL,),
        travels_with=USUAL,
        moves=(m.arrives(),),
        outcome="completed",
        events=(*TO_PAROLE, *TO_THE_END),
    ),
    Story(
        name="a minor whom nobody answers for",
        person=25,
        application=c.minor_without_guardian,
        outcome="ineligible",
        reason="minor-guardian",
        events=("ApplicationFiled", "CaseClosed"),
    ),
    Story(
        name="files from Colombia",
        person=26,
        application=c.in_colombia,
        moves=(m.arrives(port="IAH"),),
        outcome="completed",
        events=("EntryProofNotRequired", "TravelAuthorized", *TO_THE_END),
    ),
    Story(
        name="records differ, an officer approves",
        person=27,
        application=application,
        partners=answering(entry_records=says("entry.mismatch", 1, fields=["place"])),
        moves=(m.decides("officer-23", "approve"), m.arrives()),
        outcome="completed",
        events=("ReferredToOfficer", "OfficerDecided", "EntryVerified", "TravelAuthorized", *TO_THE_END),
    ),
    Story(
        name="an officer takes longer than 15 days",
        person=28,
        application=application,
        partners=answering(vetting=says("vetting.referred", 3, flags=["document-quality"])),
        moves=(m.decides("officer-17", "approve", 40), m.arrives()),
        outcome="completed",
        events=("ReferredToOfficer", "ReferralEscalated", "OfficerDecided", "VettingCleared", *TO_THE_END),
    ),
    Story(
        name="more time to travel, a year of parole",
        person=29,
        application=application,
        moves=(m.asks_for_more_time(), m.arrives(120, paroled_for_days=365), m.applies_for_work()),
        outcome="completed",
        events=("TravelAuthorized", "TravelAuthorizationExtended", "ParoleGranted", *TO_THE_END),
    ),
    Story(
        name="a new passport after authorization",
        person=30,
        application=application,
        moves=(m.renews_passport("159900030"), m.boards("ok", after_days=2), m.arrives()),
        outcome="completed",
        events=(
            "PassportChanged",
            "TravelAuthorizationHeld",
            "VettingRequested",
            "TravelAuthorizationReleased",
            *TO_THE_END,
        ),
    ),
    Story(
        name="a new supporter after authorization",
        person=31,
        application=application,
        moves=(m.loses_supporter("arrival", 5), m.names_supporter(131), m.arrives()),
        outcome="completed",
        events=("SponsorWithdrew", "SponsorReplaced", "SponsorConfirmed", "TravelAuthorizationReleased", *TO_THE_END),
    ),
    Story(
        name="no new supporter in time",
        person=32,
        application=application,
        moves=(m.loses_supporter("arrival", 5), m.boards("held", once="applicant")),
        outcome="revoked",
        reason="supporter-withdrew",
        events=("SponsorWithdrew", "TravelAuthorizationHeld", "TravelAuthorizationRevoked", "CaseClosed"),
    ),
    Story(
        name="a removal order",
        person=33,
        application=application,
        partners=answering(vetting=says("vetting.cleared", 9, findings=(c.REMOVAL_ORDER,))),
        outcome="ineligible",
        reason="removal-order",
        events=("VettingCleared", "CaseClosed"),
    ),
    Story(
        name="partners fail, stammer and answer twice",
        person=34,
        application=application,
        partners=answering(
            sponsor_registry=says("sponsor.confirmed", 3, fail=2),
            entry_records=says("entry.matched", 1, faults=FaultProfile(busy=1)),
            vetting=says("vetting.cleared", 5, faults=FaultProfile(malformed=1, twice=True, wrong_case=True)),
        ),
        moves=(m.arrives(), m.applies_for_work()),
        outcome="completed",
        events=(*TO_PAROLE, *TO_THE_END),
    ),
    Story(
        name="no work permit",
        person=35,
        application=application,
        partners=answering(work_permit_office=says("work_permit.ineligible", 30, why="form incomplete")),
        moves=(m.arrives(), m.applies_for_work()),
        outcome="completed",
        events=("ParoleGranted", "WorkPermitApplied", "WorkPermitIneligible", *TO_THE_END),
    ),
)
"""In any number: each stands for itself, but for the child whose parent's case it names."""
