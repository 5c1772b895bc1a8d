"""One full example of every event, and the files that keep how each was ever stored.

`python -m tests.support.golden_events` writes the files that are missing. It never rewrites one: a stored format does
not change; a new meaning is a new schema version with an upcasting step and a file of its own.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

from domain import access
from domain.humanitarian_parole.application import Document
from domain.humanitarian_parole.stages.crossing import IrregularCrossingRecorded
from domain.humanitarian_parole.stages.entry import (
    EntryCheckRequested,
    EntryProofNotRequired,
    EntryRefused,
    EntryVerified,
    EvidenceDeadlinePassed,
    EvidenceReceived,
    EvidenceRequested,
)
from domain.humanitarian_parole.stages.filing import ApplicationFiled, ApplicationWithdrawn
from domain.humanitarian_parole.stages.parole import (
    ParoleEnded,
    ParoleEnding,
    ParoleGranted,
    WorkPermitApplied,
    WorkPermitEligible,
    WorkPermitIneligible,
)
from domain.humanitarian_parole.stages.passport import PassportChanged
from domain.humanitarian_parole.stages.sponsor import (
    SponsorConfirmationRequested,
    SponsorConfirmed,
    SponsorNotConfirmed,
    SponsorReplaced,
    SponsorWithdrew,
)
from domain.humanitarian_parole.stages.travel import (
    ParoleRefused,
    TravelAuthorizationExpired,
    TravelAuthorizationExtended,
    TravelAuthorizationHeld,
    TravelAuthorizationReleased,
    TravelAuthorizationRestored,
    TravelAuthorizationRevoked,
    TravelAuthorized,
    Waitlisted,
)
from domain.humanitarian_parole.stages.vetting import Finding, VettingCleared, VettingDenied, VettingRequested
from domain.kernel.events import (
    Basis,
    CaseClosed,
    CaseHeld,
    CaseReopened,
    CaseResumed,
    FactRetracted,
    HeldAnswer,
    MessageRejected,
    OfficerDecided,
    OfficerDecisionConfirmed,
    PersonalDataErased,
    ReconsiderationRequested,
    ReferralEscalated,
    ReferredToOfficer,
    RuleResult,
)
from domain.kernel.ids import EventId
from domain.kernel.programme import (
    PlacesChanged,
    ProgrammeOpened,
    ProgrammeResumed,
    ProgrammeSuspended,
    ProgrammeTerminated,
    RulesAdopted,
)
from eventstore.format.codec import CODEC, Event, name_of
from tests.support.filings import application

FOLDER = Path(__file__).parent.parent / "golden" / "events"

AT = datetime(2022, 10, 20, 14, 0, 0, 123456, tzinfo=UTC)
CASE = "VEN-7Q4K-M2XS"
DAY = date(2023, 1, 18)
ENTERED = datetime(2022, 9, 1, 10, tzinfo=timezone(timedelta(hours=-5)))
"""As it was written, with its offset: the local calendar day counts."""

RULES_DIGEST = "ab" * 32
RULES = '{"programme":"venezuela-air","rules":{"nationality":{"country":"VEN"}},"version":"2022-10-19"}'
"""As short as a set never is: what stands in it changes no stored format."""

BASIS = Basis(
    rules_version="2022-10-19",
    rules_digest=RULES_DIGEST,
    programme_version=3,
    decided_at=AT,
    results=(
        RuleResult(rule="nationality", result="passed", because="national", facts=(EventId(f"{CASE}:1"),)),
        RuleResult(rule="one-active-case", result="passed", because="no-earlier-case-open", cases=(CASE,)),
    ),
    message="sponsor.confirmed",
    known={"place": "free", "earlier_supporter_cases": 2, "shared_details": ["phone"]},
)

EXAMPLES: tuple[Event, ...] = (
    ApplicationFiled(
        at=AT,
        programme="venezuela-air",
        rules_version="2022-10-19",
        rules_digest=RULES_DIGEST,
        principal=CASE,
        application=application(),
    ),
    SponsorConfirmationRequested(at=AT, request_id=f"{CASE}:2", basis=BASIS),
    SponsorConfirmed(at=AT, basis=BASIS, by_officer=True),
    SponsorNotConfirmed(at=AT, by_officer=True, why="income below the guideline"),
    SponsorWithdrew(at=AT),
    SponsorReplaced(at=AT, supporter=application().supporter),
    EntryProofNotRequired(at=AT, basis=BASIS),
    EntryCheckRequested(at=AT, request_id=f"{CASE}:4"),
    EntryVerified(at=AT, basis=BASIS, by="records", entered_at=ENTERED, place="Tapachula", manner="regular"),
    EntryRefused(at=AT, basis=BASIS, by_officer=True, entered_at=ENTERED, manner="irregular"),
    EvidenceRequested(at=AT),
    EvidenceReceived(
        at=AT,
        strong=True,
        documents=(Document(kind="fmm", number="A1", entered_on=DAY, issued_on=DAY, place="Tapachula"),),
    ),
    EvidenceDeadlinePassed(at=AT),
    VettingRequested(at=AT, request_id=f"{CASE}:6"),
    VettingCleared(at=AT, by_officer=True, findings=(Finding(kind="removal_order", dated=DAY),)),
    ReferredToOfficer(
        at=AT,
        number=1,
        question="vetting",
        codes=("name-match",),
        basis=BASIS,
        flags=("seen before",),
        answer=HeldAnswer(partner="vetting", body='{"message":"vetting.hit"}'),
    ),
    ReferralEscalated(at=AT, number=1),
    OfficerDecided(at=AT, number=1, officer="o-17", decision="deny", why="the same photograph"),
    OfficerDecisionConfirmed(at=AT, number=1, officer="o-18"),
    VettingDenied(at=AT, number=1),
    Waitlisted(at=AT),
    TravelAuthorized(at=AT, basis=BASIS, last_day=DAY, period="2022-10"),
    TravelAuthorizationExtended(at=AT, last_day=DAY),
    TravelAuthorizationHeld(at=AT, because="passport"),
    TravelAuthorizationReleased(at=AT, basis=BASIS),
    TravelAuthorizationRevoked(at=AT, reason="passport-validity", basis=BASIS),
    TravelAuthorizationExpired(at=AT, last_day=DAY),
    IrregularCrossingRecorded(at=AT, country="PAN", crossed_at=ENTERED),
    PassportChanged(at=AT, passport=application().beneficiary.passport, surnames="Rojas"),
    ParoleGranted(at=AT, port="MIA", paroled_on=date(2022, 10, 20), last_day=DAY, by_border=True),
    ParoleRefused(at=AT, port="MIA", why="another person"),
    WorkPermitApplied(at=AT, request_id=f"{CASE}:9"),
    WorkPermitEligible(at=AT, why="paroled"),
    WorkPermitIneligible(at=AT, why="parole ended"),
    ParoleEnding(at=AT, last_day=DAY),
    ParoleEnded(at=AT, last_day=DAY),
    CaseHeld(at=AT, partner="vetting", answer=HeldAnswer(partner="vetting", body='{"message":"vetting.cleared"}')),
    CaseResumed(at=AT),
    ApplicationWithdrawn(at=AT, by="supporter"),
    MessageRejected(at=AT, kind="evidence.submitted", code="not-requested"),
    CaseClosed(at=AT, outcome="ineligible", reason="mexico-entry", basis=BASIS, referral=1),
    FactRetracted(at=AT, of="m-17", kind="border.irregular_crossing", fact=EventId("VEN-7Q4K-M2XS:9"), reopens=True),
    ReconsiderationRequested(at=AT, number=1, officer="o-19", why="another person"),
    CaseReopened(at=AT, referral=1, officer="o-19", second_officer="o-20"),
    TravelAuthorizationRestored(at=AT, last_day=DAY, period="2022-11"),
    PersonalDataErased(at=AT, first_officer="o-17", second_officer="o-18", because="retention-ended"),
    ProgrammeOpened(
        at=AT,
        programme="venezuela-air",
        rules_version="2022-10-19",
        rules_digest=RULES_DIGEST,
        rules=RULES,
        places=10,
    ),
    PlacesChanged(at=AT, places=100, pool="venezuela-air"),
    RulesAdopted(
        at=AT,
        rules_version="2023-01-06",
        rules_digest=RULES_DIGEST,
        rules=RULES,
    ),
    ProgrammeSuspended(at=AT),
    ProgrammeResumed(at=AT),
    ProgrammeTerminated(at=AT, parole_ends_on=DAY),
    access.PersonalDataViewed(at=AT, case=CASE, because="complaint", case_version=7),
    access.CaseExported(at=AT, case=CASE, because="court-order", case_version=7, archive_sha256="cd" * 32),
    access.BoardingChecked(at=AT, case=CASE, answer="held"),
    access.HistoryStored(at=AT, case=CASE, run="0199-a1", history_sha256="ef" * 32, history_bytes=1024),
    access.LegalHoldPlaced(at=AT, case=CASE, because="litigation"),
    access.LegalHoldReleased(at=AT, case=CASE, because="litigation-ended"),
)


class Golden(NamedTuple):
    """A stored event as its file keeps it: the exact text of its bodies."""

    type: str
    schema_version: int
    happened_at: datetime
    public_body: str
    personal_body: str | None


def file_of(name: str, schema_version: int) -> Path:
    return FOLDER / f"{name}.v{schema_version}.json"


def stored_as(event: Event) -> Golden:
    public, personal = CODEC.encode(event)
    return Golden(
        name_of(type(event)),
        event.SCHEMA_VERSION,
        event.at,
        public.decode(),
        None if personal is None else personal.decode(),
    )


def goldens() -> Iterator[Golden]:
    for path in sorted(FOLDER.glob("*.json")):
        kept = json.loads(path.read_text())
        yield Golden(**{**kept, "happened_at": datetime.fromisoformat(kept["happened_at"])})


def _write_missing() -> None:
    for event in EXAMPLES:
        golden = stored_as(event)
        path = file_of(golden.type, golden.schema_version)
        if not path.exists():
            kept = {**golden._asdict(), "happened_at": golden.happened_at.isoformat()}
            path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    _write_missing()
