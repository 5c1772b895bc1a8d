"""The state of a case: everything later decisions need, folded from its events and from nothing else."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from domain.application import Application, Beneficiary, Document, Supporter
from domain.ids import CaseId, EventId, event_id
from domain.messages import Finding
from domain.vocabulary import (
    WAITING_ON_PARTNER,
    Outcome,
    Partner,
    Question,
    Reason,
    Stage,
    WaitingOn,
    WorkPermit,
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a partner that is open: not answered, not void."""

    request_id: str
    partner: Partner
    at: datetime
    """When the case asked; the partner is told the same moment at every attempt."""


@dataclass(frozen=True, slots=True)
class Referral:
    """A question before an officer. It is open until approved or until a denial is confirmed."""

    number: int
    question: Question
    since: datetime
    escalated: bool = False
    officer: str | None = None
    decision: Literal["approve", "deny"] | None = None
    confirmed: bool = False
    settled: bool = False
    """What the officers decided has taken effect."""

    @property
    def open(self) -> bool:
        """Still before the officers: undecided, or denied by one of them only."""
        return self.decision is None or (self.decision == "deny" and not self.confirmed)


@dataclass(frozen=True, slots=True)
class Authorization:
    """A travel authorization; `last_day` as it was set at `set_at` (pauses since then are the programme's)."""

    last_day: date
    set_at: datetime
    period: str
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Parole:
    """Parole as granted; a terminated programme may end it earlier (`limits.parole_last_day`)."""

    last_day: date
    granted_at: datetime
    notified: date | None = None
    """The last day that the notice named."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A border crossing that was reported."""

    country: str
    crossed_at: datetime
    fact: EventId


@dataclass(frozen=True)
class Case:
    """A case. `version` 0 is a case that was never filed. Without slots: `evolve` copies it at once."""

    case_id: CaseId
    version: int = 0
    programme: str = ""
    rules_version: str = ""
    filed_at: datetime | None = None
    application: Application | None = None
    beneficiary: Beneficiary | None = None
    """As filed, with the passport and surnames as they are now."""
    beneficiary_fact: EventId | None = None
    supporter: Supporter | None = None
    """None after the supporter withdrew, until another is named."""
    supporter_fact: EventId | None = None
    documents: tuple[Document, ...] = ()
    document_facts: tuple[EventId, ...] = ()

    stage: Stage = "sponsor_confirmation"
    since: datetime | None = None
    """Since when it is in this stage and waits on this."""
    last_at: datetime | None = None

    admitted: bool = False
    """The rules that need only what was filed have passed."""
    sponsor_ok: bool = False
    entry_ok: bool = False
    entry_asked: bool = False
    vetting_ok: bool = False
    vetting_asked: bool = False
    vet_again: bool = False
    """A passport changed after authorization, and vetting was not yet asked about the new one."""
    passport_unchecked: bool = False
    """A passport changed after authorization, and its validity was not yet judged."""
    findings: tuple[Finding, ...] = ()
    vetting_fact: EventId | None = None

    requests: tuple[Request, ...] = ()
    referrals: tuple[Referral, ...] = ()
    referral_count: int = 0
    evidence_since: datetime | None = None
    """When evidence was asked for, while nothing strong has come."""
    evidence_taken: bool = False
    """Evidence may be sent: from the request for it until the entry is verified."""
    supporter_gone_at: datetime | None = None
    """When the supporter withdrew, while the applicant may name another."""
    crossings: tuple[Crossing, ...] = ()

    waitlisted_at: datetime | None = None
    authorization: Authorization | None = None
    travel_held: bool = False
    parole: Parole | None = None
    work_permit: WorkPermit | None = None

    held: bool = False
    """Its next step waits for the programme to resume."""
    held_answers: tuple[str, ...] = ()
    """Partners' answers that wait with it, as JSON."""

    rejected_count: int = 0
    flags: tuple[str, ...] = ()
    outcome: Outcome | None = None
    reason: Reason | None = None
    closed_at: datetime | None = None
    erased: bool = False

    @property
    def closed(self) -> bool:
        """Nothing follows but erasure."""
        return self.closed_at is not None

    @property
    def filed(self) -> bool:
        """Whether there is a case at all."""
        return self.version > 0

    @property
    def next_event_id(self) -> EventId:
        """The id that the next event of this case will have."""
        return event_id(self.case_id, self.version + 1)

    @property
    def open_referrals(self) -> tuple[Referral, ...]:
        """Referrals that officers have yet to answer, the oldest first."""
        return tuple(referral for referral in self.referrals if referral.open)

    def request_to(self, partner: Partner) -> Request | None:
        """The open request to `partner`; there is at most one."""
        return next((request for request in self.requests if request.partner == partner), None)

    def has_referral(self, question: Question) -> bool:
        """Whether an officer's answer to `question` is awaited, or has come and not yet taken effect."""
        return any(referral.question == question and not referral.settled for referral in self.referrals)

    def require_beneficiary(self) -> Beneficiary:
        """The beneficiary of a filed case."""
        if self.beneficiary is None:
            raise ValueError("the case was never filed")
        return self.beneficiary

    def require_application(self) -> Application:
        """What was filed."""
        if self.application is None:
            raise ValueError("the case was never filed")
        return self.application

    @property
    def waiting_on(self) -> WaitingOn | None:
        """Whom the case waits on, in the order of scenarios/README.md where it waits on several."""
        if self.closed or not self.filed:
            return None
        if self.held:
            return "programme"
        if self.requests:
            partners = {request.partner for request in self.requests}
            for partner, waiting_on in WAITING_ON_PARTNER.items():
                if partner in partners:
                    return waiting_on
        if self.parole:
            return "parole_end"
        return self._waiting_on_people()

    def _waiting_on_people(self) -> WaitingOn | None:
        if self.evidence_since or self.supporter_gone_at:
            return "applicant"
        if self.open_referrals:
            return "officer"
        if self.waitlisted_at:
            return "place"
        if self.authorization and not self.travel_held:
            return "arrival"
        return None
